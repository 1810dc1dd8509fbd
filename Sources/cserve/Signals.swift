// Signals as an asynchronous sequence, so that the first one drains and the second one ends at once.

import Dispatch
import Foundation

/// SIGINT and SIGTERM, as they come.
/// Unchecked: the sources are only kept alive and never touched again.
final class Signals: @unchecked Sendable {
    /// One element per signal.
    let stream: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    /// Takes the signals over from the system's defaults.
    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        self.stream = stream
        let queue: DispatchQueue = DispatchQueue(label: "cserve.signals")
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source: any DispatchSourceSignal = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            sources.append(source)
        }
        signal(SIGPIPE, SIG_IGN)
        self.sources = sources
    }
}

/// Lines for people, unbuffered, so that pipes see them at once.
enum Console {
    static func say(_ text: String, end: String = "\n") {
        try? FileHandle.standardOutput.write(contentsOf: Data((text + end).utf8))
    }

    static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }
}
