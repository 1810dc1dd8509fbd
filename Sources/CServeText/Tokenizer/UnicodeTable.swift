// General category, white space and word characters of every scalar in two flat arrays, because asking
// `Unicode.Scalar.Properties` in an inner loop costs tens of nanoseconds.

/// A set of general categories.
struct CategorySet: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    static func one(_ category: Unicode.GeneralCategory) -> CategorySet {
        CategorySet(rawValue: 1 << UInt32(UnicodeTable.number(of: category)))
    }

    static let uppercaseLetter = one(.uppercaseLetter)
    static let lowercaseLetter = one(.lowercaseLetter)
    static let titlecaseLetter = one(.titlecaseLetter)
    static let modifierLetter = one(.modifierLetter)
    static let otherLetter = one(.otherLetter)
    static let letter: CategorySet = [
        .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
    ]
    static let mark: CategorySet = [one(.nonspacingMark), one(.spacingMark), one(.enclosingMark)]
    static let number: CategorySet = [one(.decimalNumber), one(.letterNumber), one(.otherNumber)]
    static let punctuation: CategorySet = [
        one(.connectorPunctuation), one(.dashPunctuation), one(.openPunctuation), one(.closePunctuation),
        one(.initialPunctuation), one(.finalPunctuation), one(.otherPunctuation),
    ]
    static let symbol: CategorySet = [one(.mathSymbol), one(.currencySymbol), one(.modifierSymbol), one(.otherSymbol)]
    static let separator: CategorySet = [one(.spaceSeparator), one(.lineSeparator), one(.paragraphSeparator)]
    static let other: CategorySet = [
        one(.control), one(.format), one(.surrogate), one(.privateUse), one(.unassigned),
    ]
}

/// Two-stage table: the low five bits of an entry are the category's number, the others flags.
struct UnicodeTable: Sendable {
    static let shared = UnicodeTable()
    static let whitespaceBit: UInt8 = 0x20
    static let wordBit: UInt8 = 0x40
    static let blockShift: UInt32 = 8

    private let blocks: ContiguousArray<UInt16>
    private let entries: ContiguousArray<UInt8>

    private init() {
        var blocks: ContiguousArray<UInt16> = []
        var entries: ContiguousArray<UInt8> = []
        var known: [ContiguousArray<UInt8>: UInt16] = [:]
        let size: UInt32 = 1 << UnicodeTable.blockShift
        for block in 0..<(0x110000 / size) {
            let content = ContiguousArray((block * size..<(block + 1) * size).map(UnicodeTable.entry(of:)))
            if let index = known[content] {
                blocks.append(index)
            } else {
                let index = UInt16(known.count)
                known[content] = index
                blocks.append(index)
                entries.append(contentsOf: content)
            }
        }
        self.blocks = blocks
        self.entries = entries
    }

    /// The entry of a scalar.
    @inline(__always)
    subscript(_ scalar: UInt32) -> UInt8 {
        let block = Int(truncatingIfNeeded: blocks[Int(truncatingIfNeeded: scalar >> 8)])
        return entries[block &<< 8 &+ Int(truncatingIfNeeded: scalar & 0xFF)]
    }

    /// Whether an entry's category is in a set.
    @inline(__always)
    static func isIn(_ set: CategorySet, _ entry: UInt8) -> Bool {
        (set.rawValue &>> UInt32(truncatingIfNeeded: entry & 0x1F)) & 1 == 1
    }

    /// Whether a scalar's category is in a set.
    func has(_ scalar: UInt32, _ set: CategorySet) -> Bool { UnicodeTable.isIn(set, self[scalar]) }
    /// Whether a scalar is white space (Unicode's White_Space).
    func isWhitespace(_ scalar: UInt32) -> Bool { self[scalar] & UnicodeTable.whitespaceBit != 0 }
    /// Whether a scalar is a word character (alphabetic, mark, decimal number, connector punctuation).
    func isWord(_ scalar: UInt32) -> Bool { self[scalar] & UnicodeTable.wordBit != 0 }

    private static func entry(of code: UInt32) -> UInt8 {
        let unassigned = number(of: .unassigned)
        if (0x40000..<0xE0000).contains(code) || (0xE1000..<0xF0000).contains(code) { return unassigned }
        if code >= 0xF0000 { return code & 0xFFFE == 0xFFFE ? unassigned : number(of: .privateUse) }
        guard let scalar = Unicode.Scalar(code) else { return number(of: .surrogate) }
        let properties = scalar.properties
        var entry = number(of: properties.generalCategory)
        if properties.isWhitespace { entry |= whitespaceBit }
        let wordCategories: CategorySet = [.mark, .one(.decimalNumber), .one(.connectorPunctuation)]
        if properties.isAlphabetic || isIn(wordCategories, entry) { entry |= wordBit }
        return entry
    }

    /// A number from 0 to 29 for a category.
    static func number(of category: Unicode.GeneralCategory) -> UInt8 {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        case .unassigned: 29
        @unknown default: 29
        }
    }
}
