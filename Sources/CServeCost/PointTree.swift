// Finds the nearest measured points: a k-d tree over a few logarithmic axes.

/// Points of a few dimensions, found by distance.
struct PointTree: Sendable {
    let dimensions: Int
    /// Coordinates, point by point.
    let points: [Double]
    private var order: [Int32]
    /// Where a node's halves meet on its axis, by the place at which its second half begins.
    private var splits: [Double]
    private static let leaf = 8

    /// A found point.
    struct Neighbour {
        var point: Int
        var distance: Double
    }

    /// Builds a tree.
    init(_ points: [Double], dimensions: Int) {
        self.points = points
        self.dimensions = dimensions
        order = (0..<Int32(points.count / max(1, dimensions))).map { $0 }
        splits = Array(repeating: 0, count: order.count)
        build(0, order.count, depth: 0)
    }

    var count: Int { order.count }

    private mutating func build(_ low: Int, _ high: Int, depth: Int) {
        guard high - low > Self.leaf else { return }
        let axis: Int = depth % dimensions
        let points: [Double] = points
        let dimensions: Int = dimensions
        order[low..<high].sort {
            let left: Double = points[Int($0) * dimensions + axis]
            let right: Double = points[Int($1) * dimensions + axis]
            return left == right ? $0 < $1 : left < right
        }
        let middle: Int = (low + high) / 2
        splits[middle] = points[Int(order[middle]) * dimensions + axis]
        build(low, middle, depth: depth + 1)
        build(middle, high, depth: depth + 1)
    }

    /// The `most` nearest points, the nearest first.
    func nearest(_ query: [Double], most: Int) -> [Neighbour] {
        var found: [Neighbour] = []
        found.reserveCapacity(most + 1)
        search(query, most: most, 0, order.count, depth: 0, &found)
        return found
    }

    private func search(
        _ query: [Double], most: Int, _ low: Int, _ high: Int, depth: Int, _ found: inout [Neighbour]
    ) {
        guard high - low > Self.leaf else {
            for place in low..<high { consider(Int(order[place]), query, most, &found) }
            return
        }
        let axis: Int = depth % dimensions
        let middle: Int = (low + high) / 2
        let gap: Double = query[axis] - splits[middle]
        let nearFirst: Bool = gap < 0
        search(query, most: most, nearFirst ? low : middle, nearFirst ? middle : high, depth: depth + 1, &found)
        if found.count < most || gap * gap <= found[found.count - 1].distance {
            search(query, most: most, nearFirst ? middle : low, nearFirst ? high : middle, depth: depth + 1, &found)
        }
    }

    @inline(__always)
    private func consider(_ point: Int, _ query: [Double], _ most: Int, _ found: inout [Neighbour]) {
        var distance: Double = 0
        for axis in 0..<dimensions {
            let gap: Double = query[axis] - points[point * dimensions + axis]
            distance += gap * gap
        }
        if found.count == most, distance >= found[most - 1].distance { return }
        var place: Int = found.count
        while place > 0, found[place - 1].distance > distance { place -= 1 }
        found.insert(Neighbour(point: point, distance: distance), at: place)
        if found.count > most { found.removeLast() }
    }
}
