// Finding, cutting and stripping, in Python's terms.

extension JinjaText {
    /// The first place of a text within a range of starts, or nil; an empty needle is found everywhere.
    func firstIndex(of needle: [Unicode.Scalar], from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = end ?? count
        guard start <= end, needle.count <= end - start else { return nil }
        guard let first = needle.first else { return start }
        var index = start
        let last = end - needle.count
        while index <= last {
            if scalars[index] == first, matches(needle, at: index) { return index }
            index += 1
        }
        return nil
    }

    /// The last place of a text, or nil.
    func lastIndex(of needle: [Unicode.Scalar], from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = end ?? count
        guard start <= end, needle.count <= end - start else { return nil }
        var index = end - needle.count
        while index >= start {
            if matches(needle, at: index) { return index }
            index -= 1
        }
        return nil
    }

    func matches(_ needle: [Unicode.Scalar], at index: Int) -> Bool {
        guard index >= 0, index + needle.count <= count else { return false }
        var offset = 0
        while offset < needle.count {
            if scalars[index + offset] != needle[offset] { return false }
            offset += 1
        }
        return true
    }

    /// How often a text occurs without overlap.
    func occurrences(of needle: [Unicode.Scalar], from start: Int = 0, to end: Int? = nil) -> Int {
        let end = end ?? count
        if needle.isEmpty { return end >= start ? end - start + 1 : 0 }
        var found = 0
        var place = start
        while let next = firstIndex(of: needle, from: place, to: end) {
            found += 1
            place = next + needle.count
        }
        return found
    }

    /// Without characters of a set (white space by default) at the chosen ends.
    func stripped(_ characters: [Unicode.Scalar]? = nil, left: Bool = true, right: Bool = true) -> JinjaText {
        let set = characters.map(Set.init)
        func drops(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? scalar.isPythonSpace }
        var low = 0
        var high = count
        if left { while low < high, drops(scalars[low]) { low += 1 } }
        if right { while high > low, drops(scalars[high - 1]) { high -= 1 } }
        return self[low..<high]
    }

    /// With a text replaced, at most `limit` times; the replacement keeps its own origin.
    func replacing(_ old: [Unicode.Scalar], with new: JinjaText, limit: Int) -> JinjaText {
        var result = JinjaText.empty
        var place = 0
        var left = limit < 0 ? Int.max : limit
        if old.isEmpty {
            while left > 0, place < count {
                result.append(new)
                result.append(self[place..<place + 1])
                place += 1
                left -= 1
            }
            if left > 0 { result.append(new) }
        } else {
            while left > 0, let next = firstIndex(of: old, from: place) {
                result.append(self[place..<next])
                result.append(new)
                place = next + old.count
                left -= 1
            }
        }
        result.append(self[min(place, count)..<count])
        return result
    }

    /// Cut at every occurrence of a separator.
    func split(by separator: [Unicode.Scalar], limit: Int) -> [JinjaText] {
        var pieces: [JinjaText] = []
        var place = 0
        while limit < 0 || pieces.count < limit, let next = firstIndex(of: separator, from: place) {
            pieces.append(self[place..<next])
            place = next + separator.count
        }
        return pieces + [self[place..<count]]
    }

    /// Cut at separators from the end.
    func splitFromEnd(by separator: [Unicode.Scalar], limit: Int) -> [JinjaText] {
        var pieces: [JinjaText] = []
        var end = count
        while limit < 0 || pieces.count < limit, let next = lastIndex(of: separator, to: end) {
            pieces.append(self[next + separator.count..<end])
            end = next
        }
        return (pieces + [self[0..<end]]).reversed()
    }

    /// Cut at white space, without empty pieces.
    func splitAtSpace(limit: Int) -> [JinjaText] {
        var pieces: [JinjaText] = []
        var place = 0
        while true {
            while place < count, scalars[place].isPythonSpace { place += 1 }
            guard place < count else { return pieces }
            if limit >= 0, pieces.count == limit { return pieces + [self[place..<count].stripped(left: false)] }
            let start = place
            while place < count, !scalars[place].isPythonSpace { place += 1 }
            pieces.append(self[start..<place])
        }
    }

    /// Cut at white space from the end, without empty pieces.
    func splitAtSpaceFromEnd(limit: Int) -> [JinjaText] {
        var pieces: [JinjaText] = []
        var end = count
        while true {
            while end > 0, scalars[end - 1].isPythonSpace { end -= 1 }
            guard end > 0 else { return pieces.reversed() }
            if limit >= 0, pieces.count == limit { return [self[0..<end].stripped(right: false)] + pieces.reversed() }
            let stop = end
            while end > 0, !scalars[end - 1].isPythonSpace { end -= 1 }
            pieces.append(self[end..<stop])
        }
    }

    /// Cut at line ends.
    func splitLines(keepEnds: Bool = false) -> [JinjaText] {
        var lines: [JinjaText] = []
        var start = 0
        var place = 0
        while place < count {
            guard scalars[place].isPythonLineEnd else {
                place += 1
                continue
            }
            let end = place
            place += scalars[place] == "\r" && place + 1 < count && scalars[place + 1] == "\n" ? 2 : 1
            lines.append(self[start..<(keepEnds ? place : end)])
            start = place
        }
        if start < count { lines.append(self[start..<count]) }
        return lines
    }

    /// Texts one after another with this one between them.
    func joining(_ pieces: [JinjaText]) -> JinjaText {
        var result = JinjaText.empty
        for (index, piece) in pieces.enumerated() {
            if index > 0 { result.append(self) }
            result.append(piece)
        }
        return result
    }
}
