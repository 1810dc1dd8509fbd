// One proof of the fidelity page: each section judges predictions on one kind of measurement.

import CServeCost
import Foundation

/// A section of docs/results/fidelity.md.
protocol FidelitySection {
    /// What `--only` calls it.
    static var name: String { get }
    /// Its heading.
    static var title: String { get }
    /// Whether it reads the folder at all.
    static var needsData: Bool { get }
    /// Its text in Markdown, from what the folder holds; nil where the folder lacks what it needs, with `note` set to why.
    static func markdown(_ folder: DataFolder, progress: FidelityProgress, note: inout String) throws -> String?
}

extension FidelitySection {
    static var needsData: Bool { true }
}

/// The bar on standard error while a long section runs; silent where standard error is no terminal.
final class FidelityProgress {
    private let isShown: Bool = isatty(STDERR_FILENO) == 1
    private let total: Int
    private var done: Int = 0

    init(total: Int) { self.total = total }

    func step(_ what: String) {
        done += 1
        guard isShown else { return }
        let filled: Int = min(20, 20 * done / max(1, total))
        let bar: String = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        let text: String = "[\(bar)] " + String(what.prefix(52))
        FileHandle.standardError.write(
            Data(("\r" + text + String(repeating: " ", count: max(0, 75 - text.count))).utf8))
    }

    func finish() {
        if isShown { FileHandle.standardError.write(Data(("\r" + String(repeating: " ", count: 76) + "\r").utf8)) }
    }
}

/// Tables in Markdown.
enum Markdown {
    static func table(_ head: [String], _ rows: [[String]]) -> String {
        let lines: [[String]] = [head, head.map { _ in "---" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n") + "\n"
    }

    static func percent(_ share: Double) -> String { String(format: "%.1f%%", 100 * share) }
}
