// Text on its way through the normalizers, with the memory of where special tokens may be found in it.

/// Text and, where it matters, one flag per byte: whether it may be part of a special token.
struct SourcedText: Sendable {
    var bytes: [UInt8]
    var permission: SpecialPermission

    init(_ bytes: [UInt8], _ permission: SpecialPermission = .everywhere) {
        self.bytes = bytes
        self.permission = permission
    }
}

/// Builds the next stage's text piece by piece, so that no stage can lose the flags.
struct SourcedTextBuilder {
    private let source: SourcedText
    private var bytes: [UInt8] = []
    private var flags: [Bool]?
    private let sourceFlags: [Bool]

    init(_ source: SourcedText) {
        self.source = source
        bytes.reserveCapacity(source.bytes.count + 16)
        if case .mixed(let flags) = source.permission {
            sourceFlags = flags
            self.flags = []
        } else {
            sourceFlags = []
        }
    }

    /// Copies a range of the source.
    @inline(__always)
    mutating func copy(_ range: Range<Int>) {
        bytes.append(contentsOf: source.bytes[range])
        if flags != nil { flags?.append(contentsOf: sourceFlags[range]) }
    }

    /// Writes new text in place of a range; it may be part of a special token if all of the range might have been. For
    /// an empty range its neighbour decides.
    mutating func replace(_ range: Range<Int>, with text: some Collection<UInt8>) {
        bytes.append(contentsOf: text)
        if flags != nil {
            let neighbour = min(range.lowerBound, sourceFlags.count - 1)
            let span = range.isEmpty ? neighbour..<(neighbour + 1) : range
            let flag = sourceFlags.isEmpty || sourceFlags[span].allSatisfy { $0 }
            flags?.append(contentsOf: repeatElement(flag, count: text.count))
        }
    }

    /// The new text.
    consuming func finish() -> SourcedText {
        SourcedText(bytes, flags.map { .mixed($0) } ?? source.permission)
    }
}
