// Finds stop strings in text that comes in pieces, and holds back what may become one.

/// Scans one answer for its stop strings.
struct StopScanner: Sendable {
    /// What may be sent after a piece, and the stop string if one was found.
    struct Outcome: Hashable, Sendable {
        var text: String
        var found: String?
    }

    private let stops: [String]
    private let stopBytes: [[UInt8]]
    private var held: [UInt8] = []

    init(_ stops: [String]) {
        self.stops = stops
        stopBytes = stops.map { Array($0.utf8) }
    }

    /// Takes more text and returns what can be no part of a stop string.
    mutating func append(_ text: String, includeStop: Bool) -> Outcome {
        guard !stops.isEmpty else { return Outcome(text: text, found: nil) }
        held.append(contentsOf: text.utf8)
        if let (start, index) = earliestMatch() {
            let end: Int = includeStop ? start + stopBytes[index].count : start
            let text: String = String(decoding: held[..<end], as: UTF8.self)
            held = []
            return Outcome(text: text, found: stops[index])
        }
        let keep: Int = longestPossibleStart()
        let text: String = String(decoding: held[..<(held.count - keep)], as: UTF8.self)
        held.removeFirst(held.count - keep)
        return Outcome(text: text, found: nil)
    }

    /// What was held back, at the end of the answer.
    mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    private func earliestMatch() -> (start: Int, index: Int)? {
        for start in held.indices {
            for (index, stop) in stopBytes.enumerated() where held[start...].starts(with: stop) {
                return (start, index)
            }
        }
        return nil
    }

    /// The longest tail that begins a stop string, cut back to whole characters.
    private func longestPossibleStart() -> Int {
        let longest: Int = (stopBytes.map(\.count).max() ?? 1) - 1
        for start in held.indices.suffix(longest) where held[start] & 0xC0 != 0x80 {
            let tail: ArraySlice<UInt8> = held[start...]
            if stopBytes.contains(where: { $0.count > tail.count && $0.starts(with: tail) }) { return tail.count }
        }
        return 0
    }
}
