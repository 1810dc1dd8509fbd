// Cuts a file into records while its bytes come in: lines, or the elements of a JSON array.

/// Finds records; a record lies in one array of bytes and is not copied unless it crosses two pieces.
struct RecordSplitter {
    /// A record and where it begins.
    struct Record {
        var bytes: [UInt8]
        var range: Range<Int>
        var line: Int
    }

    private enum Mode {
        case unknown
        case lines
        case elements
    }

    private var mode: Mode = .unknown
    /// The bytes that are being cut, and the place reached.
    private var bytes: [UInt8] = []
    private var place: Int = 0
    private var start: Int = 0
    private var line: Int = 1
    private var startLine: Int = 1
    /// Within an element: open brackets, and whether a string is open.
    private var depth: Int = 0
    private var isQuoted: Bool = false
    private var isEscaped: Bool = false

    /// Takes the next piece; call ``next()`` until it is nil before the next one.
    mutating func take(_ piece: [UInt8]) {
        if start == bytes.count {
            place = 0
            bytes = piece
        } else {
            place -= start
            bytes = Array(bytes[start...]) + piece
        }
        start = 0
    }

    /// The next whole record; nil when more bytes are needed.
    mutating func next() -> Record? {
        if mode == .unknown { findMode() }
        switch mode {
        case .unknown: return nil
        case .lines: return nextLine()
        case .elements: return nextElement()
        }
    }

    /// What is left when there are no more bytes: a last line without its end, or an element that was cut off.
    mutating func finish() -> Record? {
        guard start < bytes.count, bytes[start...].contains(where: { $0 > 0x20 }) else { return nil }
        if mode == .elements, depth == 0 { return nil }
        defer { start = bytes.count }
        return Record(bytes: bytes, range: start..<bytes.count, line: mode == .lines ? line : startLine)
    }

    /// A file whose first character is `[` holds elements; white space and a byte order mark are passed over.
    private mutating func findMode() {
        while place < bytes.count {
            let byte: UInt8 = bytes[place]
            if byte == UInt8(ascii: "\n") { line += 1 }
            let isMark: Bool = byte == 0xEF || byte == 0xBB || byte == 0xBF
            guard byte <= 0x20 || isMark else {
                mode = byte == UInt8(ascii: "[") ? .elements : .lines
                if mode == .elements { place += 1 }
                start = place
                return
            }
            place += 1
            start = place
        }
    }

    private mutating func nextLine() -> Record? {
        while let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) {
            let range: Range<Int> = start..<end
            let number: Int = line
            line += 1
            place = end + 1
            start = place
            if bytes[range].contains(where: { $0 > 0x20 }) { return Record(bytes: bytes, range: range, line: number) }
        }
        place = bytes.count
        return nil
    }

    private mutating func nextElement() -> Record? {
        while place < bytes.count {
            let byte: UInt8 = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            if isQuoted {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isQuoted = false
                }
                continue
            }
            if byte == UInt8(ascii: "\"") { isQuoted = true }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                if depth == 0 {
                    start = place - 1
                    startLine = line
                }
                depth += 1
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                // The bracket that closes the file's array ends the last element's place, and counts no depth.
                guard depth > 0 else {
                    start = place
                    continue
                }
                depth -= 1
                guard depth == 0 else { continue }
                defer { start = place }
                return Record(bytes: bytes, range: start..<place, line: startLine)
            }
        }
        return nil
    }
}
