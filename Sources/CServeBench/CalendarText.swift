// Moments as people and tools write them, in UTC.

/// Writes moments.
enum CalendarText {
    /// `20261125-014500`, as `vllm bench serve` names its results.
    static func compact(_ seconds: Double) -> String {
        let parts = Parts(seconds)
        return "\(pad(parts.year, 4))\(pad(parts.month))\(pad(parts.day))-"
            + "\(pad(parts.hour))\(pad(parts.minute))\(pad(parts.second))"
    }

    /// `2026-11-25T01:45:00Z`.
    static func iso(_ seconds: Double) -> String {
        let parts = Parts(seconds)
        return "\(pad(parts.year, 4))-\(pad(parts.month))-\(pad(parts.day))T"
            + "\(pad(parts.hour)):\(pad(parts.minute)):\(pad(parts.second))Z"
    }

    private static func pad(_ number: Int, _ digits: Int = 2) -> String {
        let text: String = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// A moment in the Gregorian calendar.
    ///
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    private struct Parts {
        var year: Int
        var month: Int
        var day: Int
        var hour: Int
        var minute: Int
        var second: Int

        init(_ seconds: Double) {
            // Years up to 9999; what no clock says becomes the epoch.
            let whole: Int = seconds >= 0 && seconds < 253_402_300_800 ? Int(seconds) : 0
            let shifted: Int = whole / 86_400 + 719_468
            let era: Int = shifted / 146_097
            let dayOfEra: Int = shifted % 146_097
            let yearOfEra: Int = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear: Int = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let fromMarch: Int = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
            month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            hour = whole % 86_400 / 3600
            minute = whole % 3600 / 60
            second = whole % 60
        }
    }
}
