// Runs independent work on every core; the results do not depend on who ran what.
import Dispatch
import Synchronization

/// The results of parallel work, by place.
private final class Results<Value: Sendable>: Sendable {
    private let values: Mutex<[Value?]>
    private let taken: Atomic<Int> = Atomic(0)
    private let finished: Atomic<Int> = Atomic(0)

    init(count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

    /// The next place that nobody has taken.
    func take() -> Int { taken.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Stores a result; the number of results so far.
    func put(_ value: Value, at place: Int) -> Int {
        values.withLock { $0[place] = value }
        return finished.wrappingAdd(1, ordering: .relaxed).newValue
    }

    var all: [Value] { values.withLock { $0.compactMap { $0 } } }
}

/// Work on several threads.
enum Parallel {
    /// Maps every item; items are taken in order, and results stand in the items' order.
    /// - Parameter finished: called from any thread with the number of items done so far.
    static func map<Item: Sendable, Value: Sendable>(
        _ items: [Item], threads: Int, finished: @Sendable (Int) -> Void = { _ in },
        _ work: @Sendable (Item) -> Value
    ) -> [Value] {
        let results = Results<Value>(count: items.count)
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, items.count))) { _ in
            while true {
                let place: Int = results.take()
                guard place < items.count else { return }
                finished(results.put(work(items[place]), at: place))
            }
        }
        return results.all
    }
}
