// Ends a text at the first stop string, and never lets out the beginning of one.

/// Watches a text that comes in pieces for stop strings; what it lets out does not depend on how the text was cut.
///
/// The match that is complete first wins; of several that end together, the longest.
public struct StopMatcher: Sendable {
    /// A stop string and how much of it the text so far ends with (Knuth, Morris and Pratt 1977).
    private struct Automaton: Sendable {
        let stop: String
        let bytes: [UInt8]
        let fallback: [Int]
        var state = 0

        init(_ stop: String) {
            self.stop = stop
            bytes = Array(stop.utf8)
            var fallback = [Int](repeating: 0, count: bytes.count)
            var length = 0
            for index in bytes.indices.dropFirst() {
                while length > 0, bytes[index] != bytes[length] { length = fallback[length - 1] }
                if bytes[index] == bytes[length] { length += 1 }
                fallback[index] = length
            }
            self.fallback = fallback
        }

        /// Takes a byte; true where the stop string is complete.
        mutating func advance(_ byte: UInt8) -> Bool {
            while state > 0, state == bytes.count || byte != bytes[state] { state = fallback[state - 1] }
            if byte == bytes[state] { state += 1 }
            return state == bytes.count
        }
    }

    private var automata: [Automaton]
    private let includesStop: Bool
    private var held: [UInt8] = []
    private var matched: String?

    /// Watches for stop strings (empty ones are ignored); the one that matches is let out only if asked for.
    public init(stops: [String], includeStop: Bool = false) {
        automata = stops.filter { !$0.isEmpty }.map(Automaton.init)
        includesStop = includeStop
    }

    /// Takes text and returns what is safe to show, and the stop string once there is one; nothing comes after it.
    public mutating func feed(_ text: String) -> (emit: String, matched: String?) {
        if matched != nil { return ("", matched) }
        if automata.isEmpty { return (text, nil) }
        for byte in text.utf8 {
            held.append(byte)
            if let stop = advance(byte) { return end(at: stop) }
        }
        let keep = automata.map(\.state).max() ?? 0
        let emit = String(decoding: held.dropLast(keep), as: UTF8.self)
        held.removeFirst(held.count - keep)
        return (emit, nil)
    }

    /// Returns what was held back: the text ended before a stop string was complete.
    public mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    /// Feeds every automaton; the longest stop string that is complete now.
    private mutating func advance(_ byte: UInt8) -> Automaton? {
        var longest: Automaton?
        for index in automata.indices where automata[index].advance(byte) {
            if automata[index].bytes.count > longest?.bytes.count ?? 0 { longest = automata[index] }
        }
        return longest
    }

    private mutating func end(at stop: Automaton) -> (emit: String, matched: String?) {
        matched = stop.stop
        let kept = includesStop ? held[...] : held.dropLast(stop.bytes.count)
        held = []
        return (String(decoding: kept, as: UTF8.self), stop.stop)
    }
}
