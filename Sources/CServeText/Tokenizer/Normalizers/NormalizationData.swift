// What the four Unicode normal forms need to know about each character, unpacked once.

/// Decompositions, compositions and combining classes.
struct NormalizationData: Sendable {
    static let shared = NormalizationData()

    private let canonical: [UInt32: [UInt32]]
    private let compatible: [UInt32: [UInt32]]
    private let compositions: [UInt64: UInt32]
    private let combiningClasses: [UInt32: UInt8]
    /// Bit 0: may change under NFC or NFD; bit 1: may change under NFKC or NFKD; one entry per character.
    private let mayChange: [UInt8]

    private init() {
        canonical = NormalizationData.unpack(CanonicalTable.decompositions)
        compatible = NormalizationData.unpack(CompatibilityTable.decompositions)
        let excluded = Set(NormalizationData.unpack(CanonicalTable.excluded).keys)
        compositions = NormalizationData.compositions(canonical, excluded)
        combiningClasses = NormalizationData.readCombiningClasses()
        var mayChange = [UInt8](repeating: 0, count: 0x30000)
        for code in canonical.keys { mayChange[Int(code)] |= 3 }
        for code in compatible.keys { mayChange[Int(code)] |= 2 }
        for code in combiningClasses.keys { mayChange[Int(code)] |= 3 }
        for pair in compositions.keys { mayChange[Int(pair & 0xFFFF_FFFF)] |= 3 }
        for code in 0x1160...0x11FF { mayChange[code] |= 3 }
        for code in 0xAC00...0xD7A3 { mayChange[code] |= 3 }
        self.mayChange = mayChange
    }

    /// Whether a character may change, or may make its predecessor change.
    @inline(__always)
    func mayChange(_ scalar: UInt32, compatibility: Bool) -> Bool {
        Int(scalar) < mayChange.count && mayChange[Int(scalar)] & (compatibility ? 2 : 1) != 0
    }

    func combiningClass(_ scalar: UInt32) -> UInt8 { scalar < 0x300 ? 0 : combiningClasses[scalar] ?? 0 }

    /// Appends the full decomposition of a character.
    func decompose(_ scalar: UInt32, compatibility: Bool, _ append: (UInt32) -> Void) {
        if (0xAC00...0xD7A3).contains(scalar) {
            let index = scalar - 0xAC00
            append(0x1100 + index / 588)
            append(0x1161 + index % 588 / 28)
            if index % 28 != 0 { append(0x11A7 + index % 28) }
        } else if let parts = (compatibility ? compatible[scalar] : nil) ?? canonical[scalar] {
            parts.forEach(append)
        } else {
            append(scalar)
        }
    }

    /// The character that two characters compose to.
    func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (0x1100...0x1112).contains(first), (0x1161...0x1175).contains(second) {
            return 0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28
        }
        if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8...0x11C2).contains(second) {
            return first + second - 0x11A7
        }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }

    /// Reads `start:a,b+c,...` runs.
    private static func unpack(_ text: String) -> [UInt32: [UInt32]] {
        var table: [UInt32: [UInt32]] = [:]
        for run in text.utf8.split(separator: UInt8(ascii: " ")) {
            let halves = run.split(separator: UInt8(ascii: ":"))
            guard halves.count == 2, var code = number(halves[0]) else { continue }
            for value in halves[1].split(separator: UInt8(ascii: ",")) {
                table[code] = value.split(separator: UInt8(ascii: "+")).compactMap(number)
                code += 1
            }
        }
        return table
    }

    private static func number(_ digits: Substring.UTF8View) -> UInt32? {
        UInt32(String(decoding: Array(digits), as: UTF8.self), radix: 16)
    }

    /// A full decomposition of more than two parts composes from the composition of all but the last, and the last.
    private static func compositions(_ canonical: [UInt32: [UInt32]], _ excluded: Set<UInt32>) -> [UInt64: UInt32] {
        var whole: [[UInt32]: UInt32] = [:]
        for (code, parts) in canonical where parts.count > 1 && !excluded.contains(code) { whole[parts] = code }
        var pairs: [UInt64: UInt32] = [:]
        for (parts, code) in whole {
            let head = Array(parts.dropLast())
            guard let first = head.count == 1 ? head[0] : whole[head] else { continue }
            pairs[UInt64(first) << 32 | UInt64(parts[parts.count - 1])] = code
        }
        return pairs
    }

    private static func readCombiningClasses() -> [UInt32: UInt8] {
        let table = UnicodeTable.shared
        var classes: [UInt32: UInt8] = [:]
        for code in UInt32(0x300)..<0x20000 where table.has(code, .mark) {
            guard let value = Unicode.Scalar(code)?.properties.canonicalCombiningClass.rawValue, value > 0 else {
                continue
            }
            classes[code] = value
        }
        return classes
    }
}
