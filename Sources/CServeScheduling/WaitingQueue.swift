// Who waits, in the order of service.
import CServeCore

/// A request, or a preempted branch of one, that waits for admission.
struct WaitingRequest: Equatable, Sendable {
    let request: RequestID
    /// The rank of the first of ``branches``.
    var rank: Rank
    /// Branches that start together: the first computes the prompt, the others follow.
    var branches: [Int]
    let promptCount: Int
    /// What a preempted branch had generated.
    var answer: [TokenID] = []
    var wasPreempted: Bool = false
    /// Hashes of the full blocks of prompt and answer; nil until needed.
    var hashes: [BlockHash]?
}

/// Requests by priority, and within one by rank: newcomers go to the back, preempted branches to the front.
struct WaitingQueue: Equatable, Sendable {
    private struct PriorityClass: Equatable, Sendable {
        let priority: Int
        var items: [WaitingRequest] = []
        var head: Int = 0
    }

    private var classes: [PriorityClass] = []
    private(set) var count: Int = 0
    private(set) var promptTokens: Int = 0

    var isEmpty: Bool { count == 0 }

    /// The next to be admitted.
    var first: WaitingRequest? {
        guard let best = classes.first else { return nil }
        return best.items[best.head]
    }

    var all: [WaitingRequest] { classes.flatMap { $0.items[$0.head...] } }

    mutating func insert(_ item: WaitingRequest) {
        count += 1
        promptTokens += item.promptCount
        let index: Int = classIndex(item.rank.priority)
        let items = classes[index].items
        if let last = items.last, item.rank < last.rank {
            var place: Int = classes[index].head
            while place < items.count, items[place].rank < item.rank { place += 1 }
            classes[index].items.insert(item, at: place)
        } else {
            classes[index].items.append(item)
        }
    }

    @discardableResult
    mutating func removeFirst() -> WaitingRequest {
        let item = classes[0].items[classes[0].head]
        classes[0].head += 1
        count -= 1
        promptTokens -= item.promptCount
        if classes[0].head == classes[0].items.count {
            classes.removeFirst()
        } else if classes[0].head >= 64, classes[0].head * 2 > classes[0].items.count {
            classes[0].items.removeFirst(classes[0].head)
            classes[0].head = 0
        }
        return item
    }

    /// Remembers the head's hashes, so that a head that waits does not compute them again.
    mutating func setFirstHashes(_ hashes: [BlockHash]) {
        classes[0].items[classes[0].head].hashes = hashes
    }

    /// Takes one branch out, wherever it waits.
    mutating func remove(_ request: RequestID, branch: Int, priority: Int) {
        guard let index = classes.firstIndex(where: { $0.priority == priority }) else { return }
        for place in classes[index].head..<classes[index].items.count {
            let item = classes[index].items[place]
            guard item.request == request, let at = item.branches.firstIndex(of: branch) else { continue }
            classes[index].items[place].branches.remove(at: at)
            if let first = classes[index].items[place].branches.first {
                classes[index].items[place].rank.branch = first
            } else {
                classes[index].items.remove(at: place)
                count -= 1
                promptTokens -= item.promptCount
                if classes[index].head == classes[index].items.count { classes.remove(at: index) }
            }
            return
        }
    }

    private mutating func classIndex(_ priority: Int) -> Int {
        let index: Int = classes.firstIndex { $0.priority >= priority } ?? classes.count
        if index == classes.count || classes[index].priority != priority {
            classes.insert(PriorityClass(priority: priority), at: index)
        }
        return index
    }
}
