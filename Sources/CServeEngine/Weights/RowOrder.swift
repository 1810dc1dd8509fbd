// In which order a stored tensor has its rows: files of llama.cpp interleave the halves of Llama's heads.

/// Where a tensor's rows lie: as they come, or the two halves of every head interleaved.
///
/// llama.cpp rotates neighbouring rows of Llama's queries and keys where transformers rotates a head's halves, so its
/// converter stores row `2 * i + half` of a head where transformers has row `half * size / 2 + i`
/// (llama.cpp, conversion/llama.py, `permute`).
public enum RowOrder: Hashable, Sendable {
    /// As they come.
    case plain
    /// The halves of heads of this many rows are interleaved.
    case interleaved(head: Int)

    /// The place in the file of a row in transformers' order.
    @inline(__always)
    func stored(_ row: Int) -> Int {
        switch self {
        case .plain: return row
        case .interleaved(let head):
            let inside = row % head
            let half = head / 2
            return row - inside + (inside < half ? 2 * inside : 2 * (inside - half) + 1)
        }
    }

    /// Rows in transformers' order as runs of stored rows: the first one, the step to the next, and how many.
    func runs(_ rows: Range<Int>) -> [(first: Int, step: Int, count: Int)] {
        guard case .interleaved(let head) = self else { return [(rows.lowerBound, 1, rows.count)] }
        var runs: [(first: Int, step: Int, count: Int)] = []
        var row = rows.lowerBound
        while row < rows.upperBound {
            let count = min(head / 2 - row % (head / 2), rows.upperBound - row)
            runs.append((stored(row), 2, count))
            row += count
        }
        return runs
    }
}
