// Runs templates that are not part of this package: Tools/templates/compare.py writes the cases and reads the results.

import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct TemplateCasesTests {
    /// The file of cases; the results go to the same path with `.out` appended.
    static let path = ProcessInfo.processInfo.environment["CSERVE_TEMPLATE_CASES"]

    @Test("Templates from outside are rendered into a file of results", .enabled(if: path != nil))
    func outsideTemplates() throws {
        let path = try #require(TemplateCasesTests.path)
        let cases = try JSONValue(parsing: [UInt8](try Data(contentsOf: URL(filePath: path))))
        var templates: [String: Result<ChatTemplate, any Error>] = [:]
        let results = try #require(cases.arrayValue).map { item in
            let source = item["template"]?.stringValue ?? ""
            let tokens = (item["tokens"]?.objectValue?.members ?? []).map { ($0.key, $0.value.stringValue ?? "") }
            let template =
                templates[source]
                ?? Result {
                    try ChatTemplate(source: source, specialTokens: Dictionary(uniqueKeysWithValues: tokens))
                }
            templates[source] = template
            return TemplateCasesTests.result(of: item, template)
        }
        try Data(JSONValue.array(results).serialized()).write(to: URL(filePath: path + ".out"))
    }

    private static func result(of item: JSONValue, _ template: Result<ChatTemplate, any Error>) -> JSONValue {
        let conversation = Conversation(
            messages: item["messages"]?.arrayValue ?? [], tools: item["tools"]?.arrayValue,
            documents: item["documents"]?.arrayValue,
            addGenerationPrompt: item["add_generation_prompt"]?.boolValue ?? true,
            continueFinalMessage: item["continue_final_message"]?.boolValue ?? false,
            variables: Dictionary(
                uniqueKeysWithValues: (item["kwargs"]?.objectValue?.members ?? []).map { ($0.key, $0.value) }))
        let now = ClockComponents(year: 2025, month: 7, day: 4, hour: 15, minute: 6, second: 9)
        do {
            return ["text": .string(try template.get().renderText(conversation, now: now))]
        } catch {
            return ["error": .string("\(error)")]
        }
    }
}
