// Floats as Python prints them: templates and JSON must show what transformers shows.

extension Double {
    /// `repr(float)` of Python: the shortest digits that read back, exponents below -4 and from 16 on.
    public var pythonDescription: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        let sign = self.sign == .minus ? "-" : ""
        let (digits, exponent) = shortestDigits
        return sign + Double.layOut(digits, exponent: exponent)
    }

    /// The shortest significant digits and the decimal exponent of the first one.
    private var shortestDigits: (digits: [Character], exponent: Int) {
        if self == 0 { return (["0"], 0) }
        let parts = magnitude.description.lowercased().split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        var digits = Array(mantissa.joined())
        exponent += (mantissa.first?.count ?? 1) - 1
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return (digits, exponent)
    }

    private static func layOut(_ digits: [Character], exponent: Int) -> String {
        guard (-4..<16).contains(exponent) else {
            let rest = digits.count > 1 ? "." + String(digits.dropFirst()) : ""
            let size = String(exponent.magnitude)
            return String(digits[0]) + rest + (exponent < 0 ? "e-" : "e+") + (size.count < 2 ? "0" : "") + size
        }
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + String(digits) }
        let padded = digits + Array(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let fraction = padded.dropFirst(exponent + 1)
        return String(padded.prefix(exponent + 1)) + "." + (fraction.isEmpty ? "0" : String(fraction))
    }
}
