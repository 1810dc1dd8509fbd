// The k likeliest tokens of a row without sorting the row: a bounded heap whose worst entry is the bar to pass.

import CServeCore

/// A token with its logit.
struct Candidate: Hashable {
    /// The token.
    var token: TokenID
    /// Its logit.
    var logit: Float

    /// Likelier first; of equals, the lower id.
    func precedes(_ other: Candidate) -> Bool {
        logit > other.logit || (logit == other.logit && token < other.token)
    }
}

/// Selects the likeliest tokens, reusing its storage.
struct TopCandidates {
    /// The selection, likeliest first.
    private(set) var sorted: [Candidate] = []

    /// Selects the `count` likeliest tokens of a row; masked ones (minus infinity) only if there are no others.
    ///
    /// Cost: one pass with a compare per logit in wide steps; each of the few that pass the bar costs log(count).
    mutating func select(_ count: Int, from row: UnsafeBufferPointer<Float>, with kernels: LogitRow) {
        sorted.removeAll(keepingCapacity: true)
        let count = min(count, row.count)
        guard count > 0 else { return }
        if count * 4 >= row.count {
            for index in 0..<row.count { sorted.append(Candidate(token: TokenID(index), logit: row[index])) }
            sorted.sort { $0.precedes($1) }
            sorted.removeLast(row.count - count)
            return
        }
        for index in 0..<count { sorted.append(Candidate(token: TokenID(index), logit: row[index])) }
        for parent in stride(from: count / 2 - 1, through: 0, by: -1) { sink(parent) }
        var bar = sorted[0].logit
        var index = kernels.next(above: bar, from: count, in: row)
        while index < row.count {
            sorted[0] = Candidate(token: TokenID(index), logit: row[index])
            sink(0)
            bar = sorted[0].logit
            index = kernels.next(above: bar, from: index + 1, in: row)
        }
        sorted.sort { $0.precedes($1) }
    }

    /// Restores the heap (worst at the root) below a place.
    private mutating func sink(_ start: Int) {
        var parent = start
        let moving = sorted[start]
        while true {
            var child = 2 * parent + 1
            guard child < sorted.count else { break }
            if child + 1 < sorted.count, sorted[child].precedes(sorted[child + 1]) { child += 1 }
            guard moving.precedes(sorted[child]) else { break }
            sorted[parent] = sorted[child]
            parent = child
        }
        sorted[parent] = moving
    }
}
