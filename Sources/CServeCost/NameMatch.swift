// Finds what people mean by a name: letters and digits count, case and punctuation do not.
import CServeCore

/// Comparing names of hardware and models.
enum NameMatch {
    /// A name's letters and digits in lower case; a point between digits stays, so that 3.1 and 31 differ.
    static func key(_ name: String) -> String {
        let characters = Array(name.lowercased())
        var key = ""
        for (index, character) in characters.enumerated() {
            let isPoint =
                character == "." && index > 0 && index + 1 < characters.count
                && characters[index - 1].isNumber && characters[index + 1].isNumber
            if character.isLetter || character.isNumber || isPoint { key.append(character) }
        }
        return key
    }

    /// The names nearest to one that was not found, best first: those that contain it or that it contains, then few edits.
    static func near(_ name: String, among names: [String], limit: Int = 5) -> [String] {
        let wanted = key(name)
        guard wanted.count >= 2 else { return [] }
        let scored: [(name: String, score: Int)] = names.compactMap { candidate in
            let other = key(candidate)
            let edits = distance(wanted, other)
            if other.contains(wanted) || (other.count > 2 && wanted.contains(other)) { return (candidate, edits - 100) }
            return edits <= max(2, wanted.count / 3) ? (candidate, edits) : nil
        }
        return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(limit).map(\.name)
    }

    /// Levenshtein's distance.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let change = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
