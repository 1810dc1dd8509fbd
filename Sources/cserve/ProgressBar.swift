// How far a long command is: one line on standard error, and only where a person sees it.

import CServePlanner
import Foundation
import Synchronization

/// Draws progress; may be told from any thread.
final class ProgressBar: Sendable {
    private let isShown: Bool = isatty(STDERR_FILENO) == 1
    private let last: Mutex<String> = Mutex("")

    static let width: Int = 30

    /// Draws how far a phase is.
    func show(_ progress: PlanProgress) {
        guard isShown else { return }
        let line: String = Self.line(progress)
        last.withLock { last in
            guard line != last else { return }
            last = line
            write("\r\u{1B}[K" + line)
        }
    }

    /// Takes the line away.
    func clear() {
        guard isShown else { return }
        write("\r\u{1B}[K")
    }

    static func line(_ progress: PlanProgress) -> String {
        let share: Double = Double(progress.done) / Double(max(1, progress.total))
        let full: Int = Int(share * Double(width))
        let bar: String = String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
        return "\(progress.phase) [\(bar)] \(progress.done)/\(progress.total)"
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
