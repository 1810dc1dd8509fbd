// Tabulated functions of a number of tokens: built once for a placement, read tens of thousands of times a second.

/// The knots that several tabulated functions share.
struct CurveAxis: Sendable {
    let knots: [Double]
    /// The knot at or below every small whole number, so that most look-ups need no search.
    private let places: [UInt16]
    private static let looked = 2048

    /// A place between two knots.
    struct Place {
        var knot: Int
        var share: Double
    }

    /// Takes at least two rising knots.
    init(knots: [Double]) {
        precondition(knots.count >= 2, "an axis needs two knots")
        self.knots = knots
        var place = 0
        var places: [UInt16] = []
        places.reserveCapacity(Self.looked)
        for x in 0..<Self.looked {
            while place + 2 < knots.count, knots[place + 1] <= Double(x) { place += 1 }
            places.append(UInt16(place))
        }
        self.places = places
    }

    /// Finds a point; beyond the ends the first and the last piece go on.
    @inline(__always)
    func locate(_ x: Double) -> Place {
        let knot: Int = x < Double(Self.looked) ? Int(places[max(0, Int(x))]) : search(x)
        return Place(knot: knot, share: (x - knots[knot]) / (knots[knot + 1] - knots[knot]))
    }

    private func search(_ x: Double) -> Int {
        var low = 0
        var high: Int = knots.count - 2
        while low < high {
            let middle: Int = (low + high + 1) / 2
            if knots[middle] <= x { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Tabulates a function at the knots.
    func tabulate(_ function: (Double) -> Double) -> PiecewiseCurve { PiecewiseCurve(values: knots.map(function)) }

    /// Token counts at which dense operators are tabulated: close where kernels change tiles, wide where they are linear.
    /// - Parameter measured: Further counts that something was measured at.
    static func tokens(upTo most: Int, measured: [Double] = []) -> CurveAxis {
        let small: [Int] = [
            1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 65, 80, 96, 112, 128, 129, 160, 192, 224, 256, 257, 320,
        ]
        var knots: [Int] = small + [384, 448, 512, 513, 640, 768, 896, 1024, 1280, 1536, 1792, 2048]
        var next = 2560
        while next < most + 4096 && next <= 32768 {
            knots.append(next)
            next += next >= 8192 ? 4096 : next >= 4096 ? 1024 : 512
        }
        while knots[knots.count - 1] < most {
            knots.append(next)
            next *= 2
        }
        if !measured.isEmpty {
            knots = Set(knots + measured.filter { $0 >= 1 }.map { Int($0) }).sorted()
        }
        let end: Int = knots.firstIndex { $0 >= max(most, 2) } ?? knots.count - 1
        return CurveAxis(knots: knots[...end].map(Double.init))
    }
}

/// A function that is linear between the knots of an axis.
struct PiecewiseCurve: Sendable {
    var values: [Double]

    /// The value at a place of the axis that it was tabulated over.
    @inline(__always)
    subscript(place: CurveAxis.Place) -> Double {
        let left: Double = values[place.knot]
        return left + place.share * (values[place.knot + 1] - left)
    }

    /// Adds another function over the same axis.
    mutating func add(_ other: PiecewiseCurve, times factor: Double = 1) {
        for place in values.indices { values[place] += factor * other.values[place] }
    }
}
