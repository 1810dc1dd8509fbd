// How sure a figure of one run is: the run's own requests, drawn again many times.
import CServeCore
import CServeWorkload

/// Figures of a sample and of its resamples.
///
/// Requests that follow one another share queues, so whole blocks of them are drawn: the circular block bootstrap (Politis
/// and Romano 1992) with blocks of about the square root of the sample.
struct Bootstrap {
    /// What is asked of a sample.
    enum Figure: Hashable {
        case mean
        case percentile(Double)
    }

    /// Values by ascending size, each with the item (request, span of time) that it belongs to.
    private let sorted: [(value: Double, item: Int32)]
    private let items: Int
    /// More resamples take longer and change the ends of an interval by less than they wander anyway.
    private let resamples: Int

    /// - Parameter values: of each item, in the order in which items came; an item may have several values or none.
    init(_ values: [[Double]]) {
        items = values.count
        let total: Int = values.reduce(0) { $0 + $1.count }
        // Each resample costs a pass: beyond some millions every so manyth value is enough.
        let step: Int = max(1, total >> 22)
        var all: [(value: Double, item: Int32)] = []
        all.reserveCapacity(total / step + 1)
        var place: Int = 0
        for (item, own) in values.enumerated() {
            for value in own {
                if place % step == 0 { all.append((value, Int32(item))) }
                place += 1
            }
        }
        sorted = all.sorted { $0.value < $1.value }
        resamples = min(1000, max(200, 300_000_000 / max(1, sorted.count)))
    }

    /// Each figure of every resample; empty of a sample without values.
    func resampled(_ figures: [Figure], seed: UInt64) -> [[Double]] {
        guard !sorted.isEmpty else { return figures.map { _ in [] } }
        var random = SeededGenerator(seed: seed)
        var found: [[Double]] = figures.map { _ in [] }
        var weights: [Int32] = Array(repeating: 0, count: items)
        for _ in 0..<resamples {
            draw(&weights, &random)
            let total: Int = sorted.reduce(0) { $0 + Int(weights[Int($1.item)]) }
            guard total > 0 else { continue }
            for (place, figure) in figures.enumerated() { found[place].append(value(figure, weights, total)) }
        }
        return found
    }

    private func draw(_ weights: inout [Int32], _ random: inout SeededGenerator) {
        for place in weights.indices { weights[place] = 0 }
        let length: Int = max(1, Int(Double(items).squareRoot().rounded(.up)))
        var left: Int = items
        while left > 0 {
            let start: Int = Int(random.unit() * Double(items))
            for place in start..<(start + min(length, left)) { weights[place < items ? place : place - items] += 1 }
            left -= length
        }
    }

    private func value(_ figure: Figure, _ weights: [Int32], _ total: Int) -> Double {
        switch figure {
        case .mean:
            let sum: Double = sorted.reduce(0.0) { $0 + $1.value * Double(weights[Int($1.item)]) }
            return sum / Double(total)
        case .percentile(let percent):
            let rank: Double = Double(total - 1) * percent / 100
            return value(rank: rank, weights)
        }
    }

    /// Interpolates between the two nearest ranks, as percentiles are defined everywhere.
    private func value(rank: Double, _ weights: [Int32]) -> Double {
        let below: Int = Int(rank)
        var seen: Int = 0
        var low: Double?
        for one in sorted {
            seen += Int(weights[Int(one.item)])
            if low == nil, seen > below { low = one.value }
            if let low, seen > below + 1 || rank == Double(below) {
                return low + (one.value - low) * (rank - Double(below))
            }
        }
        return low ?? 0
    }
}
