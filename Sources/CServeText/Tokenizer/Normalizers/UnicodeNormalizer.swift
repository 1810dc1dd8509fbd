// NFC, NFD, NFKC and NFKD: only the runs that may change are touched, so that plain text costs one look per character.

/// A Unicode normal form.
struct UnicodeNormalizer: NormalizerStage {
    enum Form: Sendable {
        case nfc
        case nfd
        case nfkc
        case nfkd
        var composes: Bool { self == .nfc || self == .nfkc }
        var isCompatible: Bool { self == .nfkc || self == .nfkd }
    }

    let form: Form

    func normalize(_ source: SourcedText) -> SourcedText {
        let text = source.bytes.span
        let data = NormalizationData.shared
        var builder = SourcedTextBuilder(source)
        var copied = 0
        var position = 0
        var lastStart = 0
        while position < text.count {
            if text[position] < 0x80 {
                lastStart = position
                position += 1
                continue
            }
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            guard data.mayChange(scalar, compatibility: form.isCompatible) else {
                lastStart = position
                position += length
                continue
            }
            let start = max(lastStart, copied)
            let end = runEnd(text, position + length, data)
            builder.copy(copied..<start)
            rewrite(text, start, end, data, &builder)
            copied = end
            position = end
            lastStart = end
        }
        if copied == 0 { return source }
        builder.copy(copied..<text.count)
        return builder.finish()
    }

    /// The start of the next character that can neither change nor combine with what is before it.
    private func runEnd(_ text: Span<UInt8>, _ start: Int, _ data: NormalizationData) -> Int {
        var position = start
        while position < text.count, text[position] >= 0x80 {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            if !data.mayChange(scalar, compatibility: form.isCompatible) { break }
            position += length
        }
        return position
    }

    /// A character and the range of source text that it comes from.
    private struct Part {
        var scalar: UInt32
        var combiningClass: UInt8
        var start: Int
        var end: Int
    }

    private func rewrite(
        _ text: Span<UInt8>, _ start: Int, _ end: Int, _ data: NormalizationData, _ builder: inout SourcedTextBuilder
    ) {
        var parts: [Part] = []
        var position = start
        while position < end {
            let (scalar, length) = UTF8Bytes.decode(text, at: position)
            data.decompose(scalar, compatibility: form.isCompatible) {
                let order = data.combiningClass($0)
                parts.append(Part(scalar: $0, combiningClass: order, start: position, end: position + length))
            }
            position += length
        }
        sortMarks(&parts)
        if form.composes { parts = compose(parts, data) }
        var bytes: [UInt8] = []
        for part in parts {
            bytes.removeAll(keepingCapacity: true)
            UTF8Bytes.append(part.scalar, to: &bytes)
            builder.replace(part.start..<part.end, with: bytes)
        }
    }

    /// Puts each run of marks in the order of their combining classes; equal ones keep theirs.
    private func sortMarks(_ parts: inout [Part]) {
        var start = 0
        while start < parts.count {
            if parts[start].combiningClass == 0 {
                start += 1
                continue
            }
            var end = start
            while end < parts.count, parts[end].combiningClass != 0 { end += 1 }
            if end - start > 1 {
                let order = (start..<end).sorted {
                    (parts[$0].combiningClass, $0) < (parts[$1].combiningClass, $1)
                }
                parts.replaceSubrange(start..<end, with: order.map { parts[$0] })
            }
            start = end
        }
    }

    private func compose(_ parts: [Part], _ data: NormalizationData) -> [Part] {
        var result: [Part] = []
        var starter = -1
        var lastClass = -1
        for part in parts {
            let isBlocked = lastClass >= 0 && (lastClass == 0 || lastClass >= Int(part.combiningClass))
            if starter >= 0, !isBlocked, let composed = data.compose(result[starter].scalar, part.scalar) {
                result[starter].scalar = composed
                result[starter].start = min(result[starter].start, part.start)
                result[starter].end = max(result[starter].end, part.end)
                continue
            }
            if part.combiningClass == 0 {
                starter = result.count
                lastClass = -1
            } else {
                lastClass = Int(part.combiningClass)
            }
            result.append(part)
        }
        return result
    }
}
