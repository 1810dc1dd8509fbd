// JSON in, JSON out: order, number kinds, escapes, and every way in which a text is refused.

import CServeCore
import Testing

@Suite struct JSONValueTests {
    @Test("Keys keep their order and numbers their kind through a round trip")
    func roundTrip() throws {
        let text = #"{"z":1,"a":1.0,"big":123456789012345678901234567890,"e":1e-05,"l":[true,false,null,""],"o":{}}"#
        #expect(try JSONValue(parsing: text).text() == text)
    }

    @Test("A duplicate key keeps its first place and its last value, as in Python")
    func duplicates() throws {
        #expect(try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#).text() == #"{"a":3,"b":2}"#)
    }

    @Test("Keys and strings that differ only in their normal form are two", arguments: [0, 20])
    func normalForms(others: Int) throws {
        let rest = (0..<others).map { ",\"k\($0)\":0" }.joined()
        let text = "{\"\u{E9}\":1,\"e\u{301}\":2\(rest)}"
        let value = try JSONValue(parsing: text)
        #expect(value.text() == text)
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
        #expect(Set<JSONValue>(["\u{E9}", "e\u{301}", "\u{E9}"]).count == 2)
    }

    @Test("Objects with many keys find and remove their members")
    func manyKeys() {
        var object = JSONObject((0..<100).map { ("k\($0)", .integer($0)) })
        object["k50"] = nil
        object["k7"] = "seven"
        #expect(object.count == 99)
        #expect(object["k50"] == nil)
        #expect(object["k99"] == .integer(99))
        #expect(object.keys[7] == "k7")
    }

    @Test("Escapes are read, pairs joined, lone surrogates replaced")
    func escapes() throws {
        #expect(
            try JSONValue(parsing: #""\u00e9\n\/\ud83d\ude00|\ud83d|\ude00|\ud83dx""#)
                == "é\n/😀|\u{FFFD}|\u{FFFD}|\u{FFFD}x")
        #expect(JSONValue.string("\"\\\u{1}\t\u{7F}é").text() == "\"\\\"\\\\\\u0001\\t\u{7F}é\"")
    }

    @Test("Styles: Python's separators, sorted keys, indentation")
    func styles() throws {
        let value: JSONValue = ["b": [1, 2], "a": [:], "c": []]
        #expect(value.text(.python) == #"{"b": [1, 2], "a": {}, "c": []}"#)
        #expect(value.text(.init(sortKeys: true)) == #"{"a":{},"b":[1,2],"c":[]}"#)
        #expect(value.text(.pretty) == "{\n  \"b\": [\n    1,\n    2\n  ],\n  \"a\": {},\n  \"c\": []\n}")
    }

    @Test(
        "Floats are printed as Python's repr prints them",
        arguments: [
            (0.1, "0.1"), (1, "1.0"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (1e-4, "0.0001"),
            (1e-5, "1e-05"), (1.5e300, "1.5e+300"), (-0.0, "-0.0"), (123456.789, "123456.789"),
            (9007199254740994, "9007199254740994.0"), (100, "100.0"), (0.30000000000000004, "0.30000000000000004"),
        ] as [(Double, String)])
    func floats(value: Double, text: String) {
        #expect(value.pythonDescription == text)  // Origin: CPython 3 repr().
    }

    @Test(
        "Every refusal names its place",
        arguments: [
            ("", "ends inside a value at line 1, column 1"), ("[1,", "ends inside a value at line 1, column 4"),
            ("[1 2]", "expected ',' or ']' at line 1, column 4"), ("1 x", "ends before line 1, column 3"),
            ("01", "'01' at line 1, column 1 is not a JSON number"), ("1.", "'1.' at line 1"), ("-", "'-' at"),
            ("1e999", "'1e999' at"), ("NaN", "expected a value"), (#""\x""#, #"'\x' at line 1, column 2"#),
            (#""\u12g4""#, "is not a JSON escape"), ("{\n\"a\" 1}", "expected ':' at line 2, column 5"),
            ("\"a\u{1}\"", "code 1"), ("{a:1}", "expected a key in quotes"), ("tru", "expected 'true'"),
            ("[1,]", "expected a value"), ("\"abc", "ends inside"),
        ])
    func refusals(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "none")")
    }

    @Test("Depth, digits and broken UTF-8 are refused")
    func bounds() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.tooDeep(limit: 128, at: JSONPosition(offset: 128, line: 1, column: 129))) {
            try JSONValue(parsing: deep)
        }
        #expect(throws: JSONError.duplicateKey("b", at: JSONPosition(offset: 13, line: 1, column: 14))) {
            try JSONValue(parsing: Array(#"{"a":{"b":1, "b":1}}"#.utf8), uniqueKeys: true)
        }
        #expect(throws: JSONError.numberTooLong(digits: 5000, limit: 4300, at: .init(offset: 0, line: 1, column: 1))) {
            try JSONValue(parsing: String(repeating: "9", count: 5000))
        }
        #expect(throws: JSONError.invalidUTF8(at: JSONPosition(offset: 1, line: 1, column: 2))) {
            try JSONValue(parsing: [0x22, 0xC3, 0x22])
        }
    }
}
