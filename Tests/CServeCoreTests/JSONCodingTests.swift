// Codable values to JSON and back, without Foundation; Foundation's own coder is the reference.

import CServeCore
import Foundation
import Testing

private struct Everything: Codable, Hashable {
    enum Kind: String, Codable { case first, second }
    struct Inner: Codable, Hashable { var values: [Double?] }

    var flag: Bool
    var count: Int
    var seed: UInt64
    var share: Double
    var text: String
    var kind: Kind
    var absent: Int?
    var inner: [Inner]
    var table: [String: Int]
    var choice: Choice

    enum Choice: Codable, Hashable {
        case plain
        case sized(Int, name: String)
    }
}

@Suite("JSON coding")
struct JSONCodingTests {
    private let value = Everything(
        flag: true, count: -3, seed: .max, share: 0.5, text: "ä\"\n", kind: .second, absent: nil,
        inner: [.init(values: [1, nil, 2.5]), .init(values: [])], table: ["b": 2, "a": 1],
        choice: .sized(4, name: "x"))

    @Test("values come back as they were, and Foundation reads the same")
    func roundTrip() throws {
        let json = try JSONValue(encoding: value)
        #expect(try json.decoded(as: Everything.self, file: "f") == value)
        let parsed = try JSONValue(parsing: json.serialized())
        #expect(try parsed.decoded(as: Everything.self, file: "f") == value)
        #expect(try JSONDecoder().decode(Everything.self, from: Data(json.serialized())) == value)
        let foundations = try JSONValue(parsing: [UInt8](JSONEncoder().encode(value)))
        #expect(try foundations.decoded(as: Everything.self, file: "f") == value)
    }

    @Test("members keep their order, and dictionaries are sorted")
    func order() throws {
        let text = try JSONValue(encoding: value).text()
        #expect(
            text == #"{"flag":true,"count":-3,"seed":18446744073709551615,"share":0.5,"text":"ä\"\n","kind":"second","#
                + #""inner":[{"values":[1.0,null,2.5]},{"values":[]}],"table":{"a":1,"b":2},"#
                + #""choice":{"sized":{"_0":4,"name":"x"}}}"#)
    }

    @Test(
        "a miss names its field",
        arguments: [
            ("inner", #"[{"values":[1]},{"values":[1,"x"]}]"#, #""inner[1].values[1]" must be a number, not string"#),
            ("count", "1.5", #""count" must be a whole number, not number"#),
            ("flag", "null", #""flag" must be true or false, not null"#),
            ("kind", #""third""#, #""kind" cannot be used: Cannot initialize Kind from invalid String value third"#),
            ("inner", "{}", #""inner" must be an array, not object"#),
        ])
    func misses(key: String, text: String, message: String) throws {
        guard case .object(var object) = try JSONValue(encoding: value) else { return }
        object[key] = try JSONValue(parsing: text)
        let error = #expect(throws: JSONFieldError.self) {
            try JSONValue.object(object).decoded(as: Everything.self, file: "plan.json")
        }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        object[key] = nil
        #expect(throws: JSONFieldError.missing(file: "plan.json", field: key)) {
            try JSONValue.object(object).decoded(as: Everything.self, file: "plan.json")
        }
    }
}

@Test("Every error of a JSON field says what to do")
func jsonFieldErrorMessages() {
    let messages: [(JSONFieldError, String)] = [
        (.missing(file: "a.json", field: "x.y"), "a.json lacks \"x.y\". Add it, or write the file anew."),
        (
            .wrongType(file: "a.json", field: "x", expected: "a number", found: "string"),
            "a.json: \"x\" must be a number, not string. Correct the file."
        ),
        (.unusable(file: "a.json", field: "x", reason: "no such kind"), "a.json: \"x\" cannot be used: no such kind"),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
