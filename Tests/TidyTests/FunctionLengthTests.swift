// A ratchet on function length: long functions may only become fewer.

import Foundation
import Testing

/// No function may be longer than this.
private let longest = 60
/// This many functions may be longer than ``long``; lower it whenever you can, never raise it.
private let allowedLong = 12
private let long = 40

@Test("Functions stay short, and the long ones only become fewer")
func functionsAreShort() throws {
    var overLong: [String] = []
    for file in Project.files(below: "Sources", extensions: ["swift"]) {
        for function in functions(in: try Project.text(file)) {
            #expect(function.lines <= longest, "\(file):\(function.line) has \(function.lines) lines.")
            if function.lines > long { overLong.append("\(file):\(function.line) \(function.lines)") }
        }
    }
    let list: String = overLong.joined(separator: "\n")
    #expect(overLong.count <= allowedLong, "\(overLong.count) functions over \(long) lines:\n\(list)")
}

@Test("The length ratchet counts a function's own lines")
func ratchetCounts() {
    let source = "struct A {\n  func a() {\n    \"}\"\n    // }\n  }\n  init() { }\n}\n"
    #expect(functions(in: source) == [Function(line: 2, lines: 4), Function(line: 6, lines: 1)])
}

struct Function: Equatable {
    var line: Int
    var lines: Int
}

/// Finds `func` and `init` bodies by counting braces outside of strings and comments.
private func functions(in source: String) -> [Function] {
    var found: [Function] = []
    var open: [(line: Int, depth: Int)] = []
    var depth = 0
    var pending: Int?
    for (index, line) in codeLines(source).enumerated() {
        if opensFunction(line) {
            pending = index
        }
        for character in line.utf8 {
            if character == UInt8(ascii: "{") {
                depth += 1
                if let start = pending {
                    open.append((start, depth))
                    pending = nil
                }
            } else if character == UInt8(ascii: "}") {
                if let last = open.last, last.depth == depth {
                    found.append(Function(line: last.line + 1, lines: index - last.line + 1))
                    open.removeLast()
                }
                depth -= 1
            }
        }
    }
    return found.sorted { $0.line < $1.line }
}

/// Whether a line declares something with a body whose length counts.
private func opensFunction(_ line: String) -> Bool {
    guard ["func", "init", "deinit"].contains(where: { line.contains($0) }), !line.contains(".init(") else {
        return false
    }
    return line.firstMatch(of: /(^|\s)(func\s|init[?!]?\s*[(<]|deinit\b)/) != nil
}

/// The source with strings and comments blanked.
private func codeLines(_ source: String) -> [String] {
    var lines: [String] = []
    var block = false
    for raw in source.components(separatedBy: "\n") {
        let marks = raw.components(separatedBy: "\"\"\"").count - 1
        if block {
            block = marks % 2 == 0
            lines.append("")
            continue
        }
        if marks % 2 == 1 { block = true }
        let withoutStrings = raw.utf8.contains(UInt8(ascii: "\"")) ? raw.replacing(/"(\\.|[^"\\])*"/, with: "") : raw
        lines.append(withoutStrings.components(separatedBy: "//")[0])
    }
    return lines
}
