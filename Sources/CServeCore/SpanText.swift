// Spans of time as people write them: `50ms`, `1.5s`, `2m`.

/// Reads and writes spans of time.
public enum SpanText {
    /// Units, longest name first where one ends with another.
    private static let units: [(name: String, size: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("min", 60e9), ("h", 3600e9),
        ("d", 86_400e9),
    ]

    /// Reads a number with a unit; nil if it is none, negative, or beyond 292 years.
    public static func nanoseconds(_ text: String) -> Nanoseconds? {
        let digits: Substring = text.prefix { $0.isNumber || ".+-eE".contains($0) }
        let unit: Substring = text.dropFirst(digits.count)
        guard let size = units.first(where: { $0.name == unit })?.size, let number = Double(digits), number >= 0 else {
            return nil
        }
        return Nanoseconds(exactly: (number * size).rounded())
    }

    /// Writes a span in the largest unit up to seconds that keeps it at least one, without needless digits: `1s`, `1.5ms`.
    public static func text(_ span: Nanoseconds) -> String {
        for (name, size) in [("s", 1e9), ("ms", 1e6), ("us", 1e3)] where Double(span.magnitude) >= size {
            let value: Double = Double(span) / size
            return value == value.rounded() ? "\(Int(value))\(name)" : "\(value)\(name)"
        }
        return "\(span)ns"
    }
}
