// A set of characters as a regular expression names it: general categories, flags and ranges, and what is excluded.

/// A set of scalars.
indirect enum ScalarSet: Hashable, Sendable {
    case range(UInt32, UInt32)
    case categories(CategorySet)
    case whitespace
    case word
    case union([ScalarSet])
    case intersection([ScalarSet])
    case negation(ScalarSet)

    /// Whether a scalar is in the set.
    func contains(_ scalar: UInt32, _ table: UnicodeTable) -> Bool {
        switch self {
        case .range(let low, let high): return scalar >= low && scalar <= high
        case .categories(let set): return UnicodeTable.isIn(set, table[scalar])
        case .whitespace: return table[scalar] & UnicodeTable.whitespaceBit != 0
        case .word: return table[scalar] & UnicodeTable.wordBit != 0
        case .union(let sets): return sets.contains { $0.contains(scalar, table) }
        case .intersection(let sets): return sets.allSatisfy { $0.contains(scalar, table) }
        case .negation(let set): return !set.contains(scalar, table)
        }
    }

    /// A set of one scalar.
    static func one(_ scalar: UInt32) -> ScalarSet { .range(scalar, scalar) }

    /// The set with the other case of each of its letters, as far as it names them in ranges.
    var ignoringCase: ScalarSet {
        switch self {
        case .range(let low, let high):
            guard high - low <= 4096 else { return self }
            var members: [ScalarSet] = [self]
            for code in low...high {
                for variant in ScalarSet.caseVariants(of: code) where variant < low || variant > high {
                    members.append(.one(variant))
                }
            }
            return members.count == 1 ? self : .union(members)
        case .categories(let set):
            let cased: CategorySet = [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]
            return set.isDisjoint(with: cased) ? self : .categories(set.union(cased))
        case .whitespace, .word: return self
        case .union(let sets): return .union(sets.map(\.ignoringCase))
        case .intersection(let sets): return .intersection(sets.map(\.ignoringCase))
        case .negation(let set): return .negation(set.ignoringCase)
        }
    }

    /// The scalars that differ from one only by case (simple folding; the long s and the Kelvin sign included).
    static func caseVariants(of code: UInt32) -> Set<UInt32> {
        guard let scalar = Unicode.Scalar(code) else { return [] }
        var variants: Set<UInt32> = []
        let properties = scalar.properties
        for mapping in [properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping] {
            let scalars = Array(mapping.unicodeScalars)
            if scalars.count == 1 { variants.insert(scalars[0].value) }
        }
        let special: [UInt32: [UInt32]] = [
            0x73: [0x17F], 0x53: [0x17F], 0x17F: [0x73, 0x53], 0x6B: [0x212A], 0x4B: [0x212A], 0x212A: [0x6B, 0x4B],
            0xE5: [0x212B], 0xC5: [0x212B], 0x212B: [0xE5, 0xC5],
        ]
        variants.formUnion(special[code] ?? [])
        variants.remove(code)
        return variants
    }
}

/// A compiled set: a bitmap for ASCII and a list of tests for the rest.
struct CompiledSet: Sendable {
    private let low: UInt64
    private let high: UInt64
    private let set: ScalarSet

    init(_ set: ScalarSet) {
        let table = UnicodeTable.shared
        var words: [UInt64] = [0, 0]
        for code in UInt32(0)..<128 where set.contains(code, table) { words[Int(code >> 6)] |= 1 << UInt64(code & 63) }
        low = words[0]
        high = words[1]
        self.set = set
    }

    @inline(__always)
    func contains(_ scalar: UInt32, _ table: UnicodeTable) -> Bool {
        if scalar < 64 { return (low &>> UInt64(scalar)) & 1 == 1 }
        if scalar < 128 { return (high &>> UInt64(scalar &- 64)) & 1 == 1 }
        return set.contains(scalar, table)
    }
}
