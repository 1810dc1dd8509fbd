// Every error that a user can cause has a message that a test has read.

import Foundation
import Testing

@Test("Every case of every error type stands in a message test")
func everyErrorCaseIsTested() throws {
    let tests = try Project.files(below: "Tests", extensions: ["swift"]).map { try Project.text($0) }
    for file in Project.files(below: "Sources", extensions: ["swift"]) {
        for error in errorTypes(in: try Project.text(file)) {
            let about = tests.filter { $0.contains(error.name) }
            for name in error.cases where !about.contains(where: { $0.contains("." + name) }) {
                Issue.record("\(file): \(error.name).\(name) has no message test.")
            }
        }
    }
}

private struct ErrorType {
    var name: String
    var cases: [String]
}

private var caseLine: Regex<(Substring, Substring, Substring)> { /^\s*(?:indirect )?case (\w+)(\(|$|,| |:)/ }

/// Enums that conform to `Error`, with their cases (one `case` line may name several).
private func errorTypes(in source: String) -> [ErrorType] {
    var found: [ErrorType] = []
    var current: (type: ErrorType, indent: Int)?
    for line in source.components(separatedBy: "\n") {
        let indent = line.prefix { $0 == " " }.count
        guard current != nil || line.contains("enum ") else { continue }
        if let match = line.firstMatch(of: /enum (\w+)\s*:\s*[^{]*\bError\b/) {
            current = (ErrorType(name: String(match.output.1), cases: []), indent)
        } else if let open = current {
            if indent == open.indent, line.hasPrefix(String(repeating: " ", count: indent) + "}") {
                found.append(open.type)
                current = nil
            } else if indent == open.indent + 4,
                let match = line.firstMatch(of: /^\s*(?:indirect )?case (\w+)(\(|$|,| |:)/)
            {
                if !line.contains(":") || line.contains("(") { current?.type.cases.append(String(match.output.1)) }
            }
        }
    }
    return found
}
