// Ctrl-C in a chat: it stops the answer that is being written; where none is, it ends the program.

import Dispatch
import Foundation
import Synchronization

/// Takes SIGINT over from the system's default for as long as it lives.
final class Interruption {
    private let source: any DispatchSourceSignal
    private let answer: Watched = Watched()

    private final class Watched: Sendable {
        let task: Mutex<Task<String, any Error>?> = Mutex(nil)
    }

    init() {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: DispatchQueue(label: "cserve.interruption"))
        let answer: Watched = answer
        source.setEventHandler {
            guard let task = answer.task.withLock({ $0 }) else {
                Console.say("")
                _exit(128 + SIGINT)
            }
            task.cancel()
        }
        source.resume()
    }

    /// The answer that Ctrl-C stops from now on; nil for none.
    func watch(_ task: Task<String, any Error>?) {
        answer.task.withLock { $0 = task }
    }
}
