// Server-sent events out of bytes that come in pieces of any size.

/// Splits a stream into events. Lines may end with LF, CRLF or CR, as the HTML standard says (9.2.6).
struct EventSplitter {
    /// One event: its `event:` name, and its `data:` lines with newlines between them.
    struct Event: Hashable {
        var name: String?
        var data: [UInt8]
    }

    /// A line that is no field of an event.
    struct Garbage: Error, Hashable {
        var line: [UInt8]
    }

    /// No event of any server is longer: beyond this it is no event stream.
    private static let longestLine: Int = 1 << 24

    private var line: [UInt8] = []
    private var event = Event(name: nil, data: [])
    private var hasData: Bool = false
    private var endedWithCR: Bool = false
    private var isFirst: Bool = true

    /// Takes the next bytes and hands out the events that they complete.
    /// - Throws: ``Garbage``.
    mutating func take(_ bytes: [UInt8], _ onEvent: (Event) -> Void) throws(Garbage) {
        var start: Int = 0
        for place in bytes.indices {
            let byte: UInt8 = bytes[place]
            guard byte == 10 || byte == 13 else {
                endedWithCR = false
                continue
            }
            if byte == 10, endedWithCR {
                endedWithCR = false
            } else {
                line.append(contentsOf: bytes[start..<place])
                try endLine(onEvent)
                endedWithCR = byte == 13
            }
            start = place + 1
        }
        line.append(contentsOf: bytes[start...])
        guard line.count <= Self.longestLine else { throw Garbage(line: line) }
    }

    /// The stream has ended: an event that lacks only its blank line counts, too.
    mutating func end(_ onEvent: (Event) -> Void) throws(Garbage) {
        if !line.isEmpty { try endLine(onEvent) }
        if hasData { try endLine(onEvent) }
    }

    private mutating func endLine(_ onEvent: (Event) -> Void) throws(Garbage) {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isFirst = false
        if line.isEmpty {
            if hasData { onEvent(event) }
            event = Event(name: nil, data: [])
            hasData = false
        } else if let value = value(of: Self.data) {
            if hasData { event.data.append(10) }
            event.data.append(contentsOf: value)
            hasData = true
        } else if let value = value(of: Self.name) {
            event.name = String(decoding: value, as: UTF8.self)
        } else if line[0] != UInt8(ascii: ":"), value(of: Self.id) == nil, value(of: Self.retry) == nil {
            throw Garbage(line: line)
        }
    }

    private static let data: [UInt8] = Array("data".utf8)
    private static let name: [UInt8] = Array("event".utf8)
    private static let id: [UInt8] = Array("id".utf8)
    private static let retry: [UInt8] = Array("retry".utf8)

    /// What stands behind the field's name, its colon and one space.
    private func value(of field: [UInt8]) -> ArraySlice<UInt8>? {
        guard line.starts(with: field) else { return nil }
        guard line.count > field.count else { return [] }
        guard line[field.count] == UInt8(ascii: ":") else { return nil }
        let first: Int = field.count + 1
        return line.count > first && line[first] == 32 ? line[(first + 1)...] : line[first...]
    }
}
