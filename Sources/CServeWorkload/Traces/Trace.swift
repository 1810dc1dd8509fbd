// Recorded requests in compact form: millions fit in memory, and each can be asked for as a request.
import CServeCore

/// A trace: requests with their lengths, times if they were recorded, shared texts and conversations.
public struct Trace: Sendable {
    /// The file's name, for messages.
    public var name: String
    /// The format that it had.
    public var format: TraceFormat
    /// SHA-256 of the file's bytes, in hexadecimal.
    public var digest: String
    /// What was noticed and done while reading.
    public var notes: TraceNotes
    /// Requests in the trace; more than ``count`` before it is loaded.
    public internal(set) var recordedCount: Int
    var records: [TraceRecord]
    var segments: [PromptSegment]

    /// Collects records; see ``TraceParser`` for reading files.
    init(
        name: String, format: TraceFormat, digest: String, notes: TraceNotes, records: [TraceRecord],
        segments: [PromptSegment]
    ) {
        self.name = name
        self.format = format
        self.digest = digest
        self.notes = notes
        self.records = records
        self.segments = segments
        recordedCount = records.count
    }

    /// The number of requests.
    public var count: Int { records.count }
    /// Whether arrivals were recorded.
    public var hasTimes: Bool { records.first?.arrival != nil }
    /// Whether the requests are here; a trace that was only named in JSON has to be read from its file.
    public var isLoaded: Bool { records.count > 0 }

    /// A request, its index being its place.
    public func request(_ place: Int) -> WorkloadRequest {
        let record: TraceRecord = records[place]
        let first: Int = record.firstSegment
        return WorkloadRequest(
            index: place, arrival: record.arrival, promptLength: Int(record.promptLength),
            outputLength: Int(record.outputLength), segments: Array(segments[first..<first + Int(record.segmentCount)]),
            session: record.session.map { Int($0) }, after: record.after.map { Int($0) }, thinkTime: record.thinkTime)
    }

    /// The time of the last arrival; 0 without times.
    public var span: Nanoseconds { records.last { $0.after == nil }?.arrival ?? 0 }

    /// Recorded requests per second, all turns counted; nil without times or with all at one time.
    public var rate: Double? {
        guard hasTimes, span > 0 else { return nil }
        return Double(count - 1) / span.seconds
    }

    /// From the start of one round to the start of the next when the trace is repeated: its span and one mean gap.
    var period: Nanoseconds { span + span / Nanoseconds(max(1, arrivals - 1)) }
    /// Requests that wait for no other.
    var arrivals: Int { records.count { $0.after == nil } }
    /// Requests per arrival: above 1 with conversations.
    var requestsPerArrival: Double { Double(count) / Double(max(1, arrivals)) }
    /// A bound above every session's number.
    var sessions: Int { Int(records.lazy.compactMap(\.session).max() ?? -1) + 1 }
}

extension Trace: Hashable {
    /// Traces are the same if their files are and as many requests were taken from them.
    public static func == (left: Trace, right: Trace) -> Bool {
        left.digest == right.digest && left.format == right.format && left.recordedCount == right.recordedCount
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(digest)
        hasher.combine(format)
    }
}

/// One request of a trace.
struct TraceRecord: Hashable, Sendable {
    /// From the trace's start; nil if not recorded, or for a turn that waits for another.
    var arrival: Nanoseconds?
    var promptLength: Int32
    var outputLength: Int32
    var segmentCount: Int32 = 0
    var session: Int32?
    var after: Int32?
    var firstSegment: Int = 0
    var thinkTime: Nanoseconds = 0
}

/// What was noticed and done while a trace was read.
public struct TraceNotes: Hashable, Codable, Sendable {
    /// Requests that were out of order and were sorted.
    public var unordered: Int = 0
    /// Requests with an answer of no tokens, which count as one: their prompt was computed all the same.
    public var emptyAnswers: Int = 0
    /// Requests with a prompt of no tokens, which count as one.
    public var emptyPrompts: Int = 0
    /// Entries left out because the request had failed.
    public var failed: Int = 0
    /// Lengths that were estimated from texts.
    public var estimated: Int = 0

    /// Nothing noticed.
    public init() {}

    /// JSON names.
    public enum CodingKeys: String, CodingKey {
        case unordered
        case emptyAnswers = "empty_answers"
        case emptyPrompts = "empty_prompts"
        case failed
        case estimated
    }
}

/// Which part of a trace is replayed. Conversations are kept or left out whole, by their first request.
public struct TraceSelection: Hashable, Sendable {
    /// From this time on, from the trace's start; times then count from here.
    public var from: Nanoseconds = 0
    /// Up to, and without, this time; nil: to the end.
    public var to: Nanoseconds?
    /// How many requests are passed over.
    public var skip: Int = 0
    /// How many requests are kept of the rest at most; nil: all. The last conversation may be cut.
    public var limit: Int?
    /// The share of requests that is kept, chosen at random; 1: all.
    public var sample: Double = 1
    /// Decides which are kept.
    public var seed: UInt64 = 0

    /// Everything.
    public init() {}

    /// Whether it is everything.
    public var isAll: Bool { from == 0 && to == nil && skip == 0 && limit == nil && sample >= 1 }
}

extension Trace {
    /// The selected part. Cost: one pass.
    public func selecting(_ selection: TraceSelection) -> Trace {
        guard !selection.isAll else { return self }
        var keeps: [Bool] = []
        keeps.reserveCapacity(count)
        var kept: [Int] = []
        for place in 0..<count {
            let keep: Bool = records[place].after.map { keeps[Int($0)] } ?? isSelected(place, selection)
            keeps.append(keep)
            if keep { kept.append(place) }
        }
        if let limit = selection.limit { kept = Array(kept.prefix(limit)) }
        var part: Trace = reordered(kept)
        for place in part.records.indices {
            part.records[place].arrival = part.records[place].arrival.map { $0 - selection.from }
        }
        return part
    }

    private func isSelected(_ place: Int, _ selection: TraceSelection) -> Bool {
        guard place >= selection.skip else { return false }
        let arrival: Nanoseconds = records[place].arrival ?? 0
        guard arrival >= selection.from, arrival < selection.to ?? .max else { return false }
        guard selection.sample < 1 else { return true }
        let seed: UInt64 = SeededGenerator.mix(selection.seed, RandomStream.selection.rawValue)
        var own = SeededGenerator(seed: seed, stream: UInt64(place))
        return own.unit() < selection.sample
    }

    /// The records at these places in this order, each behind the one that it waits for; references follow.
    func reordered(_ order: [Int]) -> Trace {
        var places: [Int: Int] = [:]
        places.reserveCapacity(order.count)
        var copy: Trace = self
        copy.records = []
        copy.records.reserveCapacity(order.count)
        copy.segments = []
        for (place, old) in order.enumerated() {
            places[old] = place
            var record: TraceRecord = records[old]
            record.after = record.after.flatMap { places[Int($0)] }.map { Int32($0) }
            let first: Int = record.firstSegment
            record.firstSegment = copy.segments.count
            for segment in segments[first..<first + Int(record.segmentCount)] {
                var moved: PromptSegment = segment
                if case .answer(let index) = segment.content { moved.content = .answer(places[index] ?? index) }
                copy.segments.append(moved)
            }
            copy.records.append(record)
        }
        return copy
    }
}
