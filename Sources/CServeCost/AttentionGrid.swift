// Profiled attention over four axes: a piece of a prompt with its context, beside decodes with theirs.
import CServeCore

/// Rising values of an axis, and where a value lies between them.
struct GridAxis: Sendable {
    let values: [Double]

    /// The value below and how far it is to the next; beyond the last the last piece goes on, below the first it is held.
    @inline(__always)
    func locate(_ value: Double) -> (place: Int, share: Double) {
        guard values.count > 1, value > values[0] else { return (0, 0) }
        var low = 0
        var high: Int = values.count - 2
        while low < high {
            let middle: Int = (low + high + 1) / 2
            if values[middle] <= value { low = middle } else { high = middle - 1 }
        }
        return (low, (value - values[low]) / (values[low + 1] - values[low]))
    }
}

/// One layer's attention in microseconds: three tables, since a step may have prompts, decodes or both.
public struct AttentionGrid: Hashable, Codable, Sendable {
    /// A table over axes, the last one running fastest; times that were not measured are continued along the decodes.
    public struct Table: Hashable, Codable, Sendable {
        /// The axes' values.
        public var axes: [[Double]]
        /// Microseconds.
        public var microseconds: [Double]
    }

    /// A piece of a prompt alone: tokens, context.
    public var prompts: Table
    /// Decodes alone: requests, mean context.
    public var decodes: Table
    /// Both: tokens, context, requests, mean context.
    public var mixed: Table?

    /// One profiled point.
    public struct Point: Hashable, Sendable {
        /// Tokens, context, requests, context of the decodes.
        public var place: [Double]
        /// Microseconds.
        public var microseconds: Double
    }

    /// Arranges points into tables.
    public init(_ points: [Point]) {
        prompts = Table(points.filter { $0.place[0] > 0 && $0.place[2] == 0 }, axes: [0, 1])
        decodes = Table(points.filter { $0.place[0] == 0 && $0.place[2] > 0 }, axes: [2, 3])
        let both: [Point] = points.filter { $0.place[0] > 0 && $0.place[2] > 0 }
        mixed = both.isEmpty ? nil : Table(both, axes: [0, 1, 2, 3])
    }
}

extension AttentionGrid.Table {
    init(_ points: [AttentionGrid.Point], axes chosen: [Int]) {
        axes = chosen.map { axis in Array(Set(points.map { $0.place[axis] })).sorted() }
        var strides: [Int] = Array(repeating: 1, count: chosen.count)
        for axis in chosen.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * axes[axis + 1].count }
        let total: Int = axes.reduce(1) { $0 * $1.count }
        var values: [Double] = Array(repeating: .nan, count: total)
        for point in points {
            var place = 0
            for (axis, source) in chosen.enumerated() {
                place += strides[axis] * (axes[axis].firstIndex(of: point.place[source]) ?? 0)
            }
            values[place] = point.microseconds
        }
        microseconds = values
        for axis in chosen.indices.reversed() { fill(axis, stride: strides[axis]) }
    }

    /// Continues what is missing along an axis: linearly from the two values before it, or the nearest value behind it.
    private mutating func fill(_ axis: Int, stride: Int) {
        let line: [Double] = axes[axis]
        for start in microseconds.indices where start / stride % line.count == 0 {
            for step in line.indices where microseconds[start + step * stride].isNaN && step > 0 {
                let last: Double = microseconds[start + (step - 1) * stride]
                guard !last.isNaN else { continue }
                let before: Double = step > 1 ? microseconds[start + (step - 2) * stride] : .nan
                let slope: Double = before.isNaN ? 0 : (last - before) / (line[step - 1] - line[step - 2])
                microseconds[start + step * stride] = last + max(0, slope) * (line[step] - line[step - 1])
            }
            for step in line.indices.dropLast().reversed() where microseconds[start + step * stride].isNaN {
                microseconds[start + step * stride] = microseconds[start + (step + 1) * stride]
            }
        }
    }
}

/// A table ready to be read.
struct GridReader: Sendable {
    private let axes: [GridAxis]
    private let strides: [Int]
    private let values: [Double]

    init(_ table: AttentionGrid.Table) {
        axes = table.axes.map(GridAxis.init)
        var strides: [Int] = Array(repeating: 1, count: axes.count)
        for axis in axes.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * axes[axis + 1].values.count
        }
        self.strides = strides
        values = table.microseconds
    }

    var least: Double { values.first ?? 0 }
    var isEmpty: Bool { values.isEmpty }

    /// The value at a point of two axes.
    func callAsFunction(_ first: Double, _ second: Double) -> Double {
        plane(0, 1, 0, first, second)
    }

    /// The value at a point of four axes.
    func callAsFunction(_ first: Double, _ second: Double, _ third: Double, _ fourth: Double) -> Double {
        let a = axes[0].locate(first)
        let b = axes[1].locate(second)
        func at(_ i: Int, _ j: Int) -> Double {
            let base: Int = min(a.place + i, axes[0].values.count - 1) * strides[0]
            return plane(2, 3, base + min(b.place + j, axes[1].values.count - 1) * strides[1], third, fourth)
        }
        let low: Double = at(0, 0) + b.share * (b.share == 0 ? 0 : at(0, 1) - at(0, 0))
        guard a.share != 0 else { return low }
        let high: Double = at(1, 0) + b.share * (b.share == 0 ? 0 : at(1, 1) - at(1, 0))
        return low + a.share * (high - low)
    }

    @inline(__always)
    private func plane(_ x: Int, _ y: Int, _ base: Int, _ first: Double, _ second: Double) -> Double {
        let a = axes[x].locate(first)
        let b = axes[y].locate(second)
        let right: Int = axes[y].values.count > 1 ? strides[y] : 0
        let down: Int = axes[x].values.count > 1 ? strides[x] : 0
        let place: Int = base + a.place * strides[x] + b.place * strides[y]
        let low: Double = values[place] + b.share * (values[place + right] - values[place])
        let high: Double = values[place + down] + b.share * (values[place + down + right] - values[place + down])
        return low + a.share * (high - low)
    }
}
