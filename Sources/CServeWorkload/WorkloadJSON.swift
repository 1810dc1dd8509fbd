// Workloads as JSON. Written by hand: each field is named with its unit, and each mistake with its place.
import CServeCore

extension Workload {
    /// The workload as JSON. A trace is named by its file and digest; its requests stay in the file.
    public var json: JSONValue {
        var object = JSONObject([("name", .string(name)), ("seed", .whole(seed))])
        switch content {
        case .synthetic(let drawn):
            object["lengths"] = drawn.lengths.json
            object["prefixes"] = drawn.prefixes?.json
            object["conversations"] = drawn.conversations?.json
        case .trace(let replay): object["trace"] = replay.json
        }
        object["arrivals"] = arrivals.json
        object["requests"] = requests.map { .integer($0) }
        object["duration_s"] = duration.map { .seconds($0) }
        return .object(object)
    }

    /// Reads a workload file.
    ///
    /// A trace that it names is not loaded: see ``TraceReplay/trace`` and ``attaching(_:)``.
    /// - Throws: ``WorkloadError``.
    public init(parsing bytes: [UInt8]) throws(WorkloadError) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes, uniqueKeys: true) } catch { throw .notJSON(error) }
        try self.init(json: value)
    }

    /// Reads a workload.
    /// - Throws: ``WorkloadError``.
    public init(json: JSONValue) throws(WorkloadError) {
        let fields = try JSONFields(json, at: "")
        try fields.allow([
            "name", "seed", "lengths", "prefixes", "conversations", "trace", "arrivals", "requests", "duration_s",
        ])
        name = try fields.text("name", default: "custom")
        seed = try fields.seed("seed")
        if let trace = fields["trace"] {
            content = .trace(try TraceReplay(json: trace))
        } else {
            content = .synthetic(try SyntheticRequests(fields))
        }
        if let value = fields["arrivals"] {
            arrivals = try ArrivalProcess(json: value)
        } else {
            arrivals = fields["trace"] == nil ? .allAtOnce : .recorded(speedup: 1)
        }
        requests = try fields.whole("requests")
        duration = try fields.span("duration_s")
        try validate(allowingUnloaded: true)
    }

    /// The same workload with its trace's requests, once the file has been read.
    /// - Throws: ``WorkloadError/otherTrace(name:expected:found:)``, or what ``validate()`` finds.
    public func attaching(_ loaded: Trace) throws(WorkloadError) -> Workload {
        guard case .trace(let replay) = content else { return self }
        if !replay.trace.digest.isEmpty, replay.trace.digest != loaded.digest {
            throw .otherTrace(name: loaded.name, expected: replay.trace.digest, found: loaded.digest)
        }
        var copy: Workload = self
        copy.content = .trace(TraceReplay(loaded, selection: replay.selection, repeats: replay.repeats))
        try copy.validate()
        return copy
    }
}

extension Workload: Codable {
    /// Decodes the JSON form; a trace that it names is not loaded.
    public init(from decoder: any Decoder) throws {
        try self.init(json: try JSONValue(from: decoder))
    }

    /// Encodes the JSON form.
    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

extension SyntheticRequests {
    init(_ fields: JSONFields) throws(WorkloadError) {
        lengths = try RequestLengths(json: try fields.required("lengths", "an object with prompt and output, or pairs"))
        if let value = fields["prefixes"] { prefixes = try SharedPrefixes(json: value) }
        if let value = fields["conversations"] { conversations = try Conversations(json: value) }
    }
}

extension SharedPrefixes {
    var json: JSONValue {
        .object(
            JSONObject([
                ("groups", .integer(groups)), ("length", tokens.json), ("zipf_exponent", .double(zipfExponent)),
                ("share", .double(share)),
            ]))
    }

    init(json: JSONValue) throws(WorkloadError) {
        let fields = try JSONFields(json, at: "prefixes")
        try fields.allow(["groups", "length", "zipf_exponent", "share"])
        groups = try fields.whole("groups") ?? 1
        tokens = try LengthDistribution(json: try fields.required("length", "a distribution"), at: "prefixes.length")
        zipfExponent = try fields.number("zipf_exponent") ?? 0
        share = try fields.number("share") ?? 1
    }
}

extension Conversations {
    var json: JSONValue {
        var object = JSONObject([("turns", turns.json)])
        object["think_time"] = thinkTime.json
        object["max_tokens"] = maxTokens.map { .integer($0) }
        return .object(object)
    }

    init(json: JSONValue) throws(WorkloadError) {
        let fields = try JSONFields(json, at: "conversations")
        try fields.allow(["turns", "think_time", "max_tokens"])
        turns = try LengthDistribution(json: try fields.required("turns", "a distribution"), at: "conversations.turns")
        thinkTime = try ThinkTime(json: fields["think_time"], at: "conversations.think_time")
        maxTokens = try fields.whole("max_tokens")
    }
}

extension TraceReplay {
    var json: JSONValue {
        var object = JSONObject([
            ("file", .string(trace.name)), ("format", .string(trace.format.rawValue)),
            ("digest", .string(trace.digest)),
        ])
        if selection.from > 0 { object["from_s"] = .seconds(selection.from) }
        object["to_s"] = selection.to.map { .seconds($0) }
        if selection.skip > 0 { object["skip_requests"] = .integer(selection.skip) }
        object["limit_requests"] = selection.limit.map { .integer($0) }
        if selection.sample < 1 {
            object["sample_share"] = .double(selection.sample)
            object["sample_seed"] = .whole(selection.seed)
        }
        if repeats { object["repeats"] = .bool(true) }
        return .object(object)
    }

    init(json: JSONValue) throws(WorkloadError) {
        let fields = try JSONFields(json, at: "trace")
        try fields.allow([
            "file", "format", "digest", "from_s", "to_s", "skip_requests", "limit_requests", "sample_share",
            "sample_seed", "repeats",
        ])
        let format: String = try fields.text("format", default: TraceFormat.csv.rawValue)
        guard let format = TraceFormat(rawValue: format) else {
            let known: String = TraceFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badField(field: "trace.format", found: "\"\(format)\"", expected: "one of \(known)")
        }
        trace = Trace(
            name: try fields.text("file"), format: format, digest: try fields.text("digest", default: ""),
            notes: TraceNotes(), records: [], segments: [])
        selection = TraceSelection()
        selection.from = try fields.span("from_s") ?? 0
        selection.to = try fields.span("to_s")
        selection.skip = try fields.whole("skip_requests") ?? 0
        selection.limit = try fields.whole("limit_requests")
        selection.sample = try fields.number("sample_share") ?? 1
        selection.seed = try fields.seed("sample_seed")
        repeats = try fields.flag("repeats") ?? false
    }
}
