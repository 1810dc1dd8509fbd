// Where two JSON values differ, number by number, so that two runs can be laid beside each other.

import CServeCore

/// A place at which two values differ.
public struct JSONDifference: Hashable, Sendable {
    /// The place: `loads[2].ttft.p99_ms`; empty for the whole.
    public var path: String
    /// What the first has there; nil for nothing.
    public var first: JSONValue?
    /// What the second has there; nil for nothing.
    public var second: JSONValue?

    /// A difference.
    public init(path: String, first: JSONValue?, second: JSONValue?) {
        self.path = path
        self.first = first
        self.second = second
    }

    /// Second over first, where both are numbers and the first is not zero.
    public var ratio: Double? {
        guard let a = first?.doubleValue, let b = second?.doubleValue, a != 0 else { return nil }
        return b / a
    }

    /// Every place at which two values differ, in the first's order; what only the second has comes last.
    /// - Parameter ignoring: Places that may differ.
    public static func between(
        _ first: JSONValue?, _ second: JSONValue?, ignoring: Set<String> = []
    ) -> [JSONDifference] {
        var found: [JSONDifference] = []
        compare(first, second, "", ignoring, &found)
        return found
    }

    private static func compare(
        _ first: JSONValue?, _ second: JSONValue?, _ path: String, _ ignoring: Set<String>,
        _ found: inout [JSONDifference]
    ) {
        guard first != second, !ignoring.contains(path) else { return }
        switch (first, second) {
        case (.object(let a)?, .object(let b)?):
            for key in a.keys + b.keys.filter({ a[$0] == nil }) {
                compare(a[key], b[key], path.isEmpty ? key : path + "." + key, ignoring, &found)
            }
        case (.array(let a)?, .array(let b)?):
            for place in 0..<max(a.count, b.count) {
                let pair: (JSONValue?, JSONValue?) = (
                    a.indices.contains(place) ? a[place] : nil, b.indices.contains(place) ? b[place] : nil
                )
                compare(pair.0, pair.1, "\(path)[\(place)]", ignoring, &found)
            }
        default: found.append(JSONDifference(path: path, first: first, second: second))
        }
    }
}
