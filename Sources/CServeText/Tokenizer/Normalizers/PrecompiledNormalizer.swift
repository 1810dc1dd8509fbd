// SentencePiece's compiled character map: a double-array trie from byte strings to their replacements.
import Foundation

/// `Precompiled`.
struct PrecompiledNormalizer: NormalizerStage {
    private let units: [UInt32]
    private let replacements: [UInt8]

    init(json: JSONValue) throws(TokenizerError) {
        let key = "normalizer.Precompiled.precompiled_charsmap"
        guard let text = json["precompiled_charsmap"]?.text, let data = Data(base64Encoded: text), data.count >= 4 else {
            throw .malformed(key: key, expected: "base64 of a SentencePiece character map")
        }
        let bytes = [UInt8](data)
        let words = bytes.prefix(bytes.count / 4 * 4)
        let size = Int(PrecompiledNormalizer.word(words, 0))
        guard size % 4 == 0, 4 + size <= bytes.count, size >= 4 else {
            throw .malformed(key: key, expected: "a character map whose trie (\(size) bytes) fits its \(bytes.count) bytes")
        }
        units = (1...(size / 4)).map { PrecompiledNormalizer.word(words, $0 * 4) }
        replacements = Array(bytes[(4 + size)...])
    }

    private static func word(_ bytes: ArraySlice<UInt8>, _ start: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }

    func normalize(_ source: SourcedText) -> SourcedText {
        let text = source.bytes.span
        var builder = SourcedTextBuilder(source)
        var position = 0
        var copied = 0
        while position < text.count {
            let end = clusterEnd(text, position)
            if end - position < 6, let replacement = find(text, position, end) {
                builder.copy(copied..<position)
                builder.replace(position..<end, with: replacement)
                copied = end
            } else {
                rewriteScalars(text, position, end, &builder, &copied)
            }
            position = end
        }
        if copied == 0 { return source }
        builder.copy(copied..<text.count)
        return builder.finish()
    }

    private func rewriteScalars(
        _ text: Span<UInt8>, _ start: Int, _ end: Int, _ builder: inout SourcedTextBuilder, _ copied: inout Int
    ) {
        var position = start
        while position < end {
            let next = position + UTF8Bytes.length(first: text[position])
            if let replacement = find(text, position, next) {
                builder.copy(copied..<position)
                builder.replace(position..<next, with: replacement)
                copied = next
            }
            position = next
        }
    }

    /// The end of the character (grapheme cluster) that begins here; text of plain ASCII needs no segmentation.
    private func clusterEnd(_ text: Span<UInt8>, _ start: Int) -> Int {
        let next = start + UTF8Bytes.length(first: text[start])
        guard next < text.count else { return next }
        if text[start] == 0x0D, text[next] == 0x0A { return next + 1 }
        if text[start] < 0x80, text[next] < 0x80 { return next }
        return GraphemeBreaker.end(text, start)
    }

    /// The replacement for the shortest known beginning of a text, as the reference does it.
    private func find(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> ArraySlice<UInt8>? {
        var node = Int(offset(units[0]))
        for index in start..<end {
            let byte = UInt32(text[index])
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard node < units.count, units[node] & 0x8000_00FF == byte else { return nil }
            let unit = units[node]
            node ^= Int(offset(unit))
            if unit >> 8 & 1 == 1, node < units.count { return replacement(at: Int(units[node] & 0x7FFF_FFFF)) }
        }
        return nil
    }

    private func offset(_ unit: UInt32) -> UInt32 { (unit >> 10) << ((unit & (1 << 9)) >> 6) }

    private func replacement(at start: Int) -> ArraySlice<UInt8> {
        guard start < replacements.count else { return [] }
        return replacements[start...].prefix { $0 != 0 }
    }
}

/// Finds grapheme clusters with Swift's own segmentation, in windows so that long clusters stay cheap.
enum GraphemeBreaker {
    /// Only clusters under six bytes matter to the caller, so a window of a few characters is enough.
    private static let windowLength = 48

    /// The end of the cluster that begins at a position (or of the window, for a longer one).
    static func end(_ text: Span<UInt8>, _ start: Int) -> Int {
        var limit = min(start + windowLength, text.count)
        while limit < text.count, UTF8Bytes.isContinuation(text[limit]) { limit -= 1 }
        var window: [UInt8] = []
        for index in start..<limit { window.append(text[index]) }
        let string = String(decoding: window, as: UTF8.self)
        guard let first = string.first else { return limit }
        return start + first.utf8.count
    }
}
