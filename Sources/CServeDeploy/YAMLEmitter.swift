// Writes documents as YAML: keys in the order of the tree, so that equal trees give equal bytes.

import CServeCore

/// Writes YAML 1.2 in block style. Strings that YAML could take for anything else are quoted; texts of several lines become
/// literal blocks.
public enum YAMLEmitter {
    /// One document, with a line feed at its end.
    public static func text(_ value: JSONValue) -> String {
        var lines: [String] = []
        emit(value, indent: 0, into: &lines, after: nil)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Several documents.
    public static func text(_ documents: [JSONValue]) -> String {
        documents.map { text($0) }.joined(separator: "---\n")
    }

    /// Emits a value; `after` is the key or dash that it stands behind.
    private static func emit(_ value: JSONValue, indent: Int, into lines: inout [String], after: String?) {
        let pad: String = String(repeating: " ", count: indent)
        switch value {
        case .object(let object) where !object.isEmpty:
            if let after { lines.append(after) }
            for member in object.members { emitMember(member.key, member.value, indent, pad, &lines) }
        case .array(let items) where !items.isEmpty:
            if let after { lines.append(after) }
            for item in items { emitItem(item, indent, pad, &lines) }
        case .string(let text) where isBlock(text):
            lines.append((after.map { $0 + " " } ?? "") + (text.hasSuffix("\n") ? "|" : "|-"))
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(
                text.hasSuffix("\n") ? 1 : 0)
            {
                lines.append(line.isEmpty ? "" : pad + line)
            }
        default:
            lines.append((after.map { $0 + " " } ?? "") + scalar(value))
        }
    }

    private static func emitMember(
        _ key: String, _ value: JSONValue, _ indent: Int, _ pad: String, _ lines: inout [String]
    ) {
        // Lists stand at their key's own column, as kubectl writes them.
        let isList: Bool = value.arrayValue != nil
        emit(value, indent: isList ? indent : indent + 2, into: &lines, after: pad + plainOrQuoted(key) + ":")
    }

    private static func emitItem(_ item: JSONValue, _ indent: Int, _ pad: String, _ lines: inout [String]) {
        var inner: [String] = []
        emit(item, indent: indent + 2, into: &inner, after: nil)
        if case .string(let text) = item, isBlock(text) {
            lines.append(pad + "- " + inner[0])
        } else {
            lines.append(pad + "- " + inner[0].drop { $0 == " " })
        }
        lines.append(contentsOf: inner.dropFirst())
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): plainOrQuoted(text)
        default: value.text()
        }
    }

    /// A text of several lines that a literal block can hold: no blanks at its start or at lines' ends, no control
    /// characters, at most one line feed at its end.
    private static func isBlock(_ text: String) -> Bool {
        guard text.contains("\n"), let first = text.first, first != " ", first != "\n", !text.hasSuffix("\n\n") else {
            return false
        }
        let isClean: Bool = text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x7F) }
        return isClean && !text.contains(" \n") && !text.hasSuffix(" ")
    }

    /// A string without quotes only where no reader of YAML 1.1 or 1.2 can take it for a number, a date, a truth value or
    /// syntax; else as JSON, which YAML reads.
    static func plainOrQuoted(_ text: String) -> String {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/") else { return quoted(text) }
        let reserved: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        let allowed: Set<UInt8> = Set("-_./@".utf8)
        guard !reserved.contains(text.lowercased()),
            text.utf8.allSatisfy({ isLetter($0) || isDigit($0) || allowed.contains($0) })
        else { return quoted(text) }
        return text
    }

    /// JSON's quotes; what JSON allows and YAML does not print (DEL and the controls behind it) is escaped, too.
    private static func quoted(_ text: String) -> String {
        JSONValue.string(text).text().unicodeScalars.map { scalar in
            (0x7F...0x9F).contains(scalar.value) ? "\\u00" + String(scalar.value, radix: 16) : String(scalar)
        }.joined()
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte < 0x80
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
