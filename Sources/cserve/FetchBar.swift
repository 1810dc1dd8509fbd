// How far a fetch is: one line on standard error, redrawn at each percent, and only where a person sees it.

import CServeCore
import CServeDeploy
import Foundation
import Synchronization

/// Draws progress; may be told from any task.
final class FetchBar: Sendable {
    private let isShown: Bool
    private let last: Mutex<String> = Mutex("")

    init(isShown: Bool) {
        self.isShown = isShown && isatty(STDERR_FILENO) == 1
    }

    func show(_ progress: HubProgress) {
        guard isShown else { return }
        let line: String = Self.line(progress)
        last.withLock { last in
            guard line != last else { return }
            last = line
            Self.write("\r\u{1B}[K" + line)
        }
    }

    func clear() {
        if isShown { Self.write("\r\u{1B}[K") }
    }

    static func line(_ progress: HubProgress) -> String {
        let percent: Int = progress.bytes * 100 / max(1, progress.total)
        let full: Int = percent * ProgressBar.width / 100
        let bar: String = String(repeating: "#", count: full) + String(repeating: ".", count: ProgressBar.width - full)
        return
            "fetching [\(bar)] \(percent)% of \(ByteCount(progress.total)), \(progress.files)/\(progress.allFiles) files"
    }

    private static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
