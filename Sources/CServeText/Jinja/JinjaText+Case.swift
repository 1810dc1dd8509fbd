// Upper, lower and title case by Unicode's full mappings, as Python applies them.

extension JinjaText {
    var uppercased: JinjaText { mapped { $0.properties.uppercaseMapping } }
    var lowercased: JinjaText { casing { text, place in text.lowerMapping(at: place) } }

    /// `str.title`: the first cased letter of every run of letters in title case.
    var titlecased: JinjaText {
        var afterCased = false
        return casing { text, place in
            let scalar = text.scalars[place]
            defer { afterCased = scalar.properties.isCased }
            return afterCased ? text.lowerMapping(at: place) : scalar.properties.titlecaseMapping
        }
    }

    /// `str.capitalize`: the first letter in title case, the rest in lower case.
    var capitalized: JinjaText {
        casing { text, place in
            place == 0 ? text.scalars[0].properties.titlecaseMapping : text.lowerMapping(at: place)
        }
    }

    var swappedCase: JinjaText {
        casing { text, place in
            let properties = text.scalars[place].properties
            if properties.isUppercase { return text.lowerMapping(at: place) }
            return properties.isLowercase ? properties.uppercaseMapping : String(text.scalars[place])
        }
    }

    private func casing(_ mapping: (JinjaText, Int) -> String) -> JinjaText {
        var result = JinjaText.empty
        for place in scalars.indices { result.append(mapping(self, place), trusted: isTrusted(at: place)) }
        return result
    }

    /// The lower case of a character; a capital sigma that ends a word becomes the final one.
    private func lowerMapping(at place: Int) -> String {
        guard scalars[place] == "Σ" else { return scalars[place].properties.lowercaseMapping }
        let before = scalars[..<place].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(place + 1)...].first { !$0.properties.isCaseIgnorable }
        let ends = before?.properties.isCased == true && after?.properties.isCased != true
        return ends ? "ς" : "σ"
    }

    /// True with at least one character, all of which satisfy a condition.
    func all(_ condition: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        !isEmpty && scalars.allSatisfy { condition($0.properties) }
    }

    /// `str.isupper`.
    var isUpper: Bool {
        scalars.contains { $0.properties.isUppercase }
            && !scalars.contains { $0.properties.isLowercase || $0.properties.generalCategory == .titlecaseLetter }
    }

    /// `str.islower`.
    var isLower: Bool {
        scalars.contains { $0.properties.isLowercase }
            && !scalars.contains { $0.properties.isUppercase || $0.properties.generalCategory == .titlecaseLetter }
    }

    /// `str.istitle`.
    var isTitle: Bool {
        var cased = false
        var afterCased = false
        for scalar in scalars {
            let properties = scalar.properties
            if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
                if afterCased { return false }
                cased = true
                afterCased = true
            } else if properties.isLowercase {
                if !afterCased { return false }
                cased = true
            } else {
                afterCased = false
            }
        }
        return cased
    }
}

extension Unicode.Scalar.Properties {
    /// `str.isalpha` of one character.
    var isPythonAlpha: Bool {
        switch generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
    /// `str.isdecimal` of one character.
    var isPythonDecimal: Bool { generalCategory == .decimalNumber }
    /// `str.isdigit` of one character.
    var isPythonDigit: Bool { numericType == .decimal || numericType == .digit }
    /// `str.isnumeric` of one character.
    var isPythonNumeric: Bool { numericType != nil }
}
