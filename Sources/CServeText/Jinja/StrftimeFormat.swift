// Dates as Python's strftime writes them in the C locale, from a clock that is handed in.

import Foundation

/// A point in time, taken apart in some time zone.
public struct ClockComponents: Hashable, Sendable {
    /// The year, such as 2025.
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    /// 0 to 23.
    public var hour: Int
    /// 0 to 59.
    public var minute: Int
    /// 0 to 60.
    public var second: Int
    /// 0 to 999,999.
    public var microsecond: Int

    /// Creates a point in time.
    public init(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// The local time of a date, as Python's `datetime.now()` gives it.
    public init(_ date: Date, in timeZone: TimeZone = .current) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .nanosecond], from: date)
        self.init(
            year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1, hour: parts.hour ?? 0,
            minute: parts.minute ?? 0, second: parts.second ?? 0, microsecond: (parts.nanosecond ?? 0) / 1000)
    }

    /// Days since 1970-01-01 (Howard Hinnant's days_from_civil).
    var daysSinceEpoch: Int {
        let year = month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// 0 for Sunday.
    var weekday: Int { ((daysSinceEpoch + 4) % 7 + 7) % 7 }
    /// 1 for the first of January.
    var dayOfYear: Int { daysSinceEpoch - ClockComponents(year: year, month: 1, day: 1).daysSinceEpoch + 1 }

    /// The year and week of ISO 8601.
    var isoWeek: (year: Int, week: Int) {
        let isoDay = weekday == 0 ? 7 : weekday
        let thursday = dayOfYear + 4 - isoDay
        if thursday < 1 {
            return ClockComponents(year: year - 1, month: 12, day: 31).isoWeek
        }
        let length = ClockComponents(year: year, month: 12, day: 31).dayOfYear
        return thursday > length ? (year + 1, 1) : (year, (thursday - 1) / 7 + 1)
    }
}

/// The directives of strftime.
enum StrftimeFormat {
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// The text of a format; an unknown directive stays as it is, as in glibc.
    static func text(_ format: String, _ clock: ClockComponents) -> String {
        var result = ""
        var rest = Substring(format)
        while let character = rest.popFirst() {
            guard character == "%", let letter = rest.first else {
                result.append(character)
                continue
            }
            let flag = "-_0^#".contains(letter) ? rest.removeFirst() : nil
            guard let directive = rest.popFirst() else {
                result += "%" + (flag.map(String.init) ?? "")
                break
            }
            let plain = value(of: directive, clock) ?? "%" + (flag.map(String.init) ?? "") + String(directive)
            result += flagged(plain, flag)
        }
        return result
    }

    private static func flagged(_ text: String, _ flag: Character?) -> String {
        let zeros = text.prefix { $0 == "0" || $0 == " " }.count
        let digits = String(text.dropFirst(min(zeros, max(0, text.count - 1))))
        switch flag {
        case "-": return digits
        case "_": return String(repeating: " ", count: text.count - digits.count) + digits
        case "0": return String(repeating: "0", count: text.count - digits.count) + digits
        case "^": return text.uppercased()
        case "#": return text == text.uppercased() ? text.lowercased() : text.uppercased()
        default: return text
        }
    }

    private static func padded(_ value: Int, _ width: Int = 2, with pad: String = "0") -> String {
        let digits = String(value)
        return String(repeating: pad, count: max(0, width - digits.count)) + digits
    }

    private static func value(of directive: Character, _ clock: ClockComponents) -> String? {
        dateValue(of: directive, clock) ?? timeValue(of: directive, clock)
    }

    private static func dateValue(of directive: Character, _ clock: ClockComponents) -> String? {
        switch directive {
        case "Y": padded(clock.year, 4)
        case "C": padded(clock.year / 100)
        case "y": padded(((clock.year % 100) + 100) % 100)
        case "m": padded(clock.month)
        case "d": padded(clock.day)
        case "e": padded(clock.day, with: " ")
        case "B": months[max(0, min(11, clock.month - 1))]
        case "b", "h": String(months[max(0, min(11, clock.month - 1))].prefix(3))
        case "A": days[clock.weekday]
        case "a": String(days[clock.weekday].prefix(3))
        case "j": padded(clock.dayOfYear, 3)
        case "w": String(clock.weekday)
        case "u": String(clock.weekday == 0 ? 7 : clock.weekday)
        case "U": padded((clock.dayOfYear + 6 - clock.weekday) / 7)
        case "W": padded((clock.dayOfYear + 6 - (clock.weekday + 6) % 7) / 7)
        case "V": padded(clock.isoWeek.week)
        case "G": padded(clock.isoWeek.year, 4)
        case "g": padded(clock.isoWeek.year % 100)
        case "x", "D": text("%m/%d/%y", clock)
        case "F": text("%Y-%m-%d", clock)
        case "c": text("%a %b %e %H:%M:%S %Y", clock)
        default: nil
        }
    }

    private static func timeValue(of directive: Character, _ clock: ClockComponents) -> String? {
        let hour12 = clock.hour % 12 == 0 ? 12 : clock.hour % 12
        return switch directive {
        case "H": padded(clock.hour)
        case "k": padded(clock.hour, with: " ")
        case "I": padded(hour12)
        case "l": padded(hour12, with: " ")
        case "M": padded(clock.minute)
        case "S": padded(clock.second)
        case "f": padded(clock.microsecond, 6)
        case "p": clock.hour < 12 ? "AM" : "PM"
        case "P": clock.hour < 12 ? "am" : "pm"
        case "X", "T": text("%H:%M:%S", clock)
        case "R": text("%H:%M", clock)
        case "r": text("%I:%M:%S %p", clock)
        case "s": String(clock.daysSinceEpoch * 86_400 + clock.hour * 3600 + clock.minute * 60 + clock.second)
        case "z", "Z": ""
        case "n": "\n"
        case "t": "\t"
        case "%": "%"
        default: nil
        }
    }
}
