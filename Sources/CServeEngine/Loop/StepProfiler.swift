// The log of the steps that an engine has run: a ring of bounded memory that any task may read.

import CServeCore
import CServeScheduling
import Synchronization

/// Keeps the last steps of an engine. An engine without one spends nothing on it.
///
/// Cost: at most `capacity` records, each with one piece per prompt of its step; a step adds less than a microsecond.
public final class StepProfiler: Sendable {
    /// Steps that are kept.
    public let capacity: Int
    private let ring = Mutex(Ring())

    private struct Ring {
        var records: [StepRecord] = []
        var last: UInt64 = 0
    }

    /// Keeps so many steps.
    public init(capacity: Int) {
        precondition(capacity > 0, "a log of no steps")
        self.capacity = capacity
    }

    /// The kept steps after the one of a number, oldest first.
    public func steps(after id: UInt64 = 0) -> [StepRecord] {
        let kept = ring.withLock { $0.records }
        return kept.filter { $0.id > id }.sorted { $0.id < $1.id }
    }

    /// Adds a step; it gets the next number.
    func add(_ record: StepRecord) {
        ring.withLock { ring in
            ring.last += 1
            var record = record
            record.id = ring.last
            if ring.records.count < capacity {
                ring.records.append(record)
            } else {
                ring.records[Int((ring.last - 1) % UInt64(capacity))] = record
            }
        }
    }
}

extension StepRecord {
    /// What a micro-batch computes; times are left out.
    init(_ batch: MicroBatch) {
        self.init()
        for (index, entry) in batch.entries.enumerated() {
            if index < batch.load.decodes {
                decodes += 1
                decodeContext += entry.start + 1
                longestDecodeContext = max(longestDecodeContext, entry.start + 1)
                drafts += entry.drafts.count
            } else {
                prefills.append(Piece(tokens: entry.tokens.count, context: entry.start))
            }
            sampledRows += entry.sampledTokens
        }
    }
}
