// Hundreds of small templates against what jinja2 makes of them.
//
// Origin: Tests/Fixtures/jinja-cases.json, written by Tools/templates/make_cases.py with jinja2 in transformers' environment.

import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct JinjaCasesTests {
    static let clock = ClockComponents(year: 2025, month: 7, day: 4, hour: 15, minute: 6, second: 9)

    static func fixture() throws -> JSONValue {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "Fixtures/jinja-cases.json")
        return try JSONValue(parsing: [UInt8](try Data(contentsOf: file)))
    }

    static func render(_ source: String, _ context: JSONObject) throws -> String {
        let variables = context.members.map { ($0.key, JinjaValue($0.value)) }
        return try JinjaInterpreter.render(
            try JinjaParser.parse(source, template: "case"), variables: Dictionary(uniqueKeysWithValues: variables),
            template: "case", limits: JinjaLimits(), clock: clock
        ).string
    }

    @Test("Every small template gives what jinja2 gives, or is refused as jinja2 refuses it")
    func cases() throws {
        let fixture = try JinjaCasesTests.fixture()
        let context = try #require(fixture["context"]?.objectValue)
        let cases = try #require(fixture["cases"]?.arrayValue)
        #expect(cases.count > 400)
        for item in cases {
            let source = item["template"]?.stringValue ?? ""
            if let text = item["text"]?.stringValue {
                var result = ""
                do { result = try JinjaCasesTests.render(source, context) } catch { result = "error: \(error)" }
                #expect(result == text, "\(source)")
            } else {
                #expect(throws: JinjaError.self, "\(source)") { try JinjaCasesTests.render(source, context) }
            }
        }
    }
}
