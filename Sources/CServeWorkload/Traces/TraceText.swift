// Numbers, times and texts as traces write them.
import CServeCore

/// Reads pieces of traces.
enum TraceText {
    /// A whole number of up to 18 digits, or nil.
    static func whole(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        var place: Int = range.lowerBound
        let isNegative: Bool = place < range.upperBound && bytes[place] == UInt8(ascii: "-")
        if isNegative { place += 1 }
        guard place < range.upperBound, range.upperBound - place <= 18 else { return nil }
        var value: Int = 0
        while place < range.upperBound {
            let digit: UInt8 = bytes[place] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
            place += 1
        }
        return isNegative ? -value : value
    }

    /// Without blanks, quotes and a carriage return at its ends.
    static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (low, high): (Int, Int) = (range.lowerBound, range.upperBound)
        let isBlank: (UInt8) -> Bool = { $0 <= 0x20 || $0 == UInt8(ascii: "\"") }
        while low < high, isBlank(bytes[low]) { low += 1 }
        while high > low, isBlank(bytes[high - 1]) { high -= 1 }
        return low..<high
    }

    /// `2023-11-16 18:17:03.9799600`, also with `T`, `Z` or `+01:00`, in nanoseconds since 1970; nil: none of these.
    static func date(_ bytes: [UInt8], _ range: Range<Int>) -> Nanoseconds? {
        let start: Int = range.lowerBound
        let digits: (Int, Int) -> Int? = { from, to in
            start + to <= range.upperBound ? whole(bytes, start + from..<start + to) : nil
        }
        guard range.count >= 19, bytes[start + 4] == UInt8(ascii: "-"), bytes[start + 13] == UInt8(ascii: ":"),
            let year = digits(0, 4), let month = digits(5, 7), let day = digits(8, 10), let hour = digits(11, 13),
            let minute = digits(14, 16), let second = digits(17, 19), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second <= 60, (1678...2261).contains(year)
        else { return nil }
        let clock: Int = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        var place: Int = start + 19
        let fraction: Nanoseconds = nanoseconds(bytes, &place, range.upperBound)
        guard let zone = offset(bytes, place..<range.upperBound) else { return nil }
        return Nanoseconds(clock - zone) * .second + fraction
    }

    private static func nanoseconds(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> Nanoseconds {
        guard place < end, bytes[place] == UInt8(ascii: ".") else { return 0 }
        place += 1
        var value: Nanoseconds = 0
        var scale: Nanoseconds = .second
        while place < end, bytes[place] &- UInt8(ascii: "0") < 10 {
            scale /= 10
            value += Nanoseconds(bytes[place] &- UInt8(ascii: "0")) * scale
            place += 1
        }
        return value
    }

    /// Seconds east of Greenwich; nil if it is no zone.
    private static func offset(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard let sign = bytes[range].first else { return 0 }
        if range.count == 1 { return sign == UInt8(ascii: "Z") ? 0 : nil }
        let digits: [UInt8] = bytes[range.dropFirst()].filter { $0 != UInt8(ascii: ":") }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), digits.count == 4,
            let hour = whole(digits, 0..<2), let minute = whole(digits, 2..<4)
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hour * 3600 + minute * 60)
    }

    /// Days since 1970-01-01. Source: Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted: Int = month <= 2 ? year - 1 : year
        let era: Int = shifted / 400
        let yearOfEra: Int = shifted - era * 400
        let dayOfYear: Int = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// A number that may be seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its size (seconds
    /// up to the year 5138); smaller numbers are seconds.
    static func epoch(_ value: Double) -> Nanoseconds? {
        let scale: Double = value < 1e11 ? 1e9 : value < 1e14 ? 1e6 : value < 1e17 ? 1e3 : 1
        return Nanoseconds(exactly: (value * scale).rounded())
    }

    /// The bytes that a JSON string stands for: escapes count as what they mean.
    static func decodedLength(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        var count: Int = 0
        var place: Int = range.lowerBound
        while place < range.upperBound {
            if bytes[place] == UInt8(ascii: "\\") {
                let isUnicode: Bool = place + 1 < range.upperBound && bytes[place + 1] == UInt8(ascii: "u")
                // A code of four digits is one to three bytes of UTF-8; most that are escaped are two or three.
                count += isUnicode ? 3 : 1
                place += isUnicode ? 6 : 2
            } else {
                count += 1
                place += 1
            }
        }
        return count
    }

    /// A number for a text: the same bytes have the same, others another (FNV-1a, 64 bits, then mixed).
    static func number(_ bytes: [UInt8], _ range: Range<Int>, kind: UInt64) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ kind
        for place in range { hash = (hash ^ UInt64(bytes[place])) &* 0x0000_0100_0000_01b3 }
        return SeededGenerator.finish(hash)
    }
}
