// The properties that a pattern may name: general categories, POSIX classes and the larger scripts.

/// Looks up `\p{...}` and `[:...:]`.
enum UnicodeProperty {
    /// The set of a name, in any case and with or without spaces, hyphens and underscores.
    static func set(named name: String) -> ScalarSet? {
        let key = String(name.lowercased().filter { !" -_".contains($0) })
        if let categories = categories[key] { return .categories(categories) }
        if let ranges = ScriptRanges.table[key] { return .union(ranges.map { .range($0.0, $0.1) }) }
        return classes[key]
    }

    private static let classes: [String: ScalarSet] = [
        "any": .range(0, 0x10FFFF),
        "ascii": .range(0, 0x7F),
        "space": .whitespace,
        "whitespace": .whitespace,
        "word": .word,
        "digit": .categories(.one(.decimalNumber)),
        "upper": .categories(.uppercaseLetter),
        "lower": .categories(.lowercaseLetter),
        "alpha": .intersection([.word, .negation(.categories([.one(.decimalNumber), .one(.connectorPunctuation)]))]),
        "alnum": .intersection([.word, .negation(.categories(.one(.connectorPunctuation)))]),
        "punct": .union([
            .categories(.punctuation), .one(0x24), .one(0x2B), .range(0x3C, 0x3E), .one(0x5E), .one(0x60), .one(0x7C),
            .one(0x7E),
        ]),
        "cntrl": .categories(.one(.control)),
        "xdigit": .union([.range(0x30, 0x39), .range(0x41, 0x46), .range(0x61, 0x66)]),
        "blank": .union([.categories(.one(.spaceSeparator)), .one(0x09)]),
    ]

    private static let categories: [String: CategorySet] = [
        "l": .letter, "letter": .letter, "lu": .uppercaseLetter, "ll": .lowercaseLetter, "lt": .titlecaseLetter,
        "lm": .modifierLetter, "lo": .otherLetter, "lc": [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter],
        "uppercaseletter": .uppercaseLetter, "lowercaseletter": .lowercaseLetter,
        "titlecaseletter": .titlecaseLetter, "modifierletter": .modifierLetter, "otherletter": .otherLetter,
        "m": .mark, "mark": .mark, "mn": .one(.nonspacingMark), "mc": .one(.spacingMark), "me": .one(.enclosingMark),
        "n": .number, "number": .number, "nd": .one(.decimalNumber), "nl": .one(.letterNumber),
        "no": .one(.otherNumber), "p": .punctuation, "punctuation": .punctuation, "pc": .one(.connectorPunctuation),
        "pd": .one(.dashPunctuation), "ps": .one(.openPunctuation), "pe": .one(.closePunctuation),
        "pi": .one(.initialPunctuation), "pf": .one(.finalPunctuation), "po": .one(.otherPunctuation),
        "s": .symbol, "symbol": .symbol, "sm": .one(.mathSymbol), "sc": .one(.currencySymbol),
        "sk": .one(.modifierSymbol), "so": .one(.otherSymbol), "z": .separator, "separator": .separator,
        "zs": .one(.spaceSeparator), "zl": .one(.lineSeparator), "zp": .one(.paragraphSeparator), "c": .other,
        "other": .other, "cc": .one(.control), "control": .one(.control), "cf": .one(.format),
        "format": .one(.format), "co": .one(.privateUse), "cn": .one(.unassigned), "unassigned": .one(.unassigned),
    ]
}
