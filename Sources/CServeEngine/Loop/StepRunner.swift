// The seam between the loop and whatever answers a micro-batch: a model with its sampler, or the null runner.

import CServeCore
import CServeScheduling

/// Runs micro-batches, one at a time, on the loop's thread.
protocol StepRunner: AnyObject {
    /// Runs one micro-batch.
    ///
    /// The branches' ``LiveBranch/fresh`` tokens are filled with what the outputs hold.
    /// - Parameter slots: the branch that holds each slot.
    /// - Throws: whatever the model throws; none of the step's requests gets a token then.
    func run(_ batch: MicroBatch, slots: SlotTable) throws -> StepResult
}

/// Which branch of which request holds which slot. Owned by the loop's thread.
final class SlotTable {
    /// A slot's holder.
    struct Holder {
        /// The request.
        var request: LiveRequest
        /// The branch.
        var branch: LiveBranch
    }

    private var holders: [Holder?]

    /// Empty slots.
    init(slots: Int) {
        holders = Array(repeating: nil, count: slots)
    }

    /// The holder of a slot that an entry names.
    subscript(slot: Int) -> Holder? {
        get { slot < holders.count ? holders[slot] : nil }
        set { holders[slot] = newValue }
    }
}

/// What a step gave.
struct StepResult {
    /// One output per entry, in order.
    var outputs: [EntryOutput] = []
    /// Time inside the model's forward pass, without what was done with its logits.
    var forwardTime: Nanoseconds = 0
    /// Time spent on its logits: sampling and scores.
    var samplingTime: Nanoseconds = 0
    /// Requests that cannot go on, with the reason for their clients.
    var failures: [(request: RequestID, message: String)] = []
}
