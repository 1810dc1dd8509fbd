// Holds the folders where unsafe code may stand, so that a memory fault has few places to come from.

import Foundation
import Testing

/// What marks a line that is worth the slower look.
private let words: [String] = ["nsafe", "@unchecked", "Unmanaged", "OpaquePointer"]

/// Folders and files that may own or touch raw memory, each with its reason.
private let mayBeUnsafe: [String: String] = [
    "Sources/CServeEngine/": "weights, activations and the KV cache are raw memory; its types own it",
    "Sources/cserve/BuiltInModel.swift": "hands the engine the built-in model, which lies in the binary",
    "Sources/CServeBench/Connection.swift": "a connection's state is touched on its event loop alone",
    "Sources/CServeBench/Exchange.swift": "a request under way is touched on the client's event loop alone",
    "Sources/CServeBench/LoadRun.swift": "a run's state is touched on the client's event loop alone",
    "Sources/CServeBench/StreamingClient.swift": "the client's state is touched on its event loop alone",
    "Sources/cserve/Signals.swift": "keeps signal sources alive, which Dispatch does not call Sendable",
]

@Test("Unsafe code stands only in the folders that own memory")
func unsafeStaysHome() throws {
    let pattern = /\b(withUnsafe\w*|Unsafe\w*|unsafe|@unchecked|Unmanaged|OpaquePointer)\b/
    for file in Project.files(below: "Sources", extensions: ["swift"])
    where !mayBeUnsafe.keys.contains(where: { file.hasPrefix($0) }) {
        for (number, line) in try Project.lines(file).enumerated()
        where words.contains(where: { line.contains($0) }) {
            let code = line.replacing(/"(\\.|[^"\\])*"/, with: "").components(separatedBy: "//")[0]
            if let match = code.firstMatch(of: pattern) {
                Issue.record("\(file):\(number + 1) uses \(match.output.0); only \(mayBeUnsafe.keys.sorted()) may.")
            }
        }
    }
}
