// Arrival processes as JSON, and how fields are read.
import CServeCore

extension ArrivalProcess {
    /// The process as JSON.
    public var json: JSONValue {
        switch self {
        case .poisson(let rate): ["kind": "poisson", "rate_per_s": .double(rate)]
        case .gamma(let rate, let burstiness):
            ["kind": "gamma", "rate_per_s": .double(rate), "burstiness": .double(burstiness)]
        case .constant(let rate): ["kind": "constant", "rate_per_s": .double(rate)]
        case .ramp(let from, let to, let span, let growth):
            [
                "kind": "ramp", "from_per_s": .double(from), "to_per_s": .double(to), "over_s": .seconds(span),
                "growth": .string(growth.rawValue),
            ]
        case .allAtOnce: ["kind": "all_at_once"]
        case .closedLoop(let loop): loop.json
        case .recorded(let speedup): ["kind": "recorded", "speedup": .double(speedup)]
        }
    }

    private static let kinds: [String] = [
        "poisson", "gamma", "constant", "ramp", "all_at_once", "closed_loop", "recorded",
    ]

    init(json: JSONValue) throws(WorkloadError) {
        let fields = try JSONFields(json, at: "arrivals")
        try fields.allow([
            "kind", "rate_per_s", "burstiness", "from_per_s", "to_per_s", "over_s", "growth", "clients", "wave",
            "think_time", "speedup",
        ])
        switch try fields.text("kind") {
        case "poisson": self = .poisson(rate: try fields.rate("rate_per_s"))
        case "gamma":
            self = .gamma(rate: try fields.rate("rate_per_s"), burstiness: try fields.number("burstiness") ?? 1)
        case "constant": self = .constant(rate: try fields.rate("rate_per_s"))
        case "ramp": self = try ArrivalProcess.ramp(fields)
        case "all_at_once": self = .allAtOnce
        case "closed_loop": self = .closedLoop(try ClosedLoop(fields))
        case "recorded": self = .recorded(speedup: try fields.number("speedup") ?? 1)
        case let kind:
            throw .badField(
                field: "arrivals.kind", found: "\"\(kind)\"",
                expected: "one of \(ArrivalProcess.kinds.joined(separator: ", "))")
        }
    }

    private static func ramp(_ fields: JSONFields) throws(WorkloadError) -> ArrivalProcess {
        let name: String = try fields.text("growth", default: RampGrowth.linear.rawValue)
        guard let growth = RampGrowth(rawValue: name) else {
            throw .badField(field: "arrivals.growth", found: "\"\(name)\"", expected: "linear or exponential")
        }
        let span: Nanoseconds = try fields.needed(fields.span("over_s"), "over_s", "a number of seconds")
        return .ramp(
            from: try fields.rate("from_per_s"), to: try fields.rate("to_per_s"), over: span, growth: growth)
    }
}

extension ClosedLoop {
    var json: JSONValue {
        var object = JSONObject([("kind", "closed_loop"), ("clients", .integer(clients))])
        if let wave {
            object["wave"] = [
                "min_clients": .integer(wave.min), "max_clients": .integer(wave.max),
                "sustain_requests": .integer(wave.sustain),
            ]
        }
        object["think_time"] = thinkTime.json
        return .object(object)
    }

    init(_ fields: JSONFields) throws(WorkloadError) {
        thinkTime = try ThinkTime(json: fields["think_time"], at: "arrivals.think_time")
        guard let value = fields["wave"] else {
            clients = try fields.needed(fields.whole("clients"), "clients", "a whole number")
            return
        }
        let inner = try JSONFields(value, at: "arrivals.wave")
        try inner.allow(["min_clients", "max_clients", "sustain_requests"])
        let shape = ConcurrencyWave(
            min: try inner.needed(inner.whole("min_clients"), "min_clients", "a whole number"),
            max: try inner.needed(inner.whole("max_clients"), "max_clients", "a whole number"),
            sustain: try inner.needed(inner.whole("sustain_requests"), "sustain_requests", "a whole number"))
        wave = shape
        clients = shape.max
    }
}

extension ThinkTime {
    var json: JSONValue? {
        switch self {
        case .none: nil
        case .fixed(let span): ["kind": "fixed", "seconds": .seconds(span)]
        case .exponential(let mean): ["kind": "exponential", "mean_s": .seconds(mean)]
        }
    }

    init(json: JSONValue?, at path: String) throws(WorkloadError) {
        guard let json, !json.isNull else {
            self = .none
            return
        }
        let fields = try JSONFields(json, at: path)
        try fields.allow(["kind", "seconds", "mean_s"])
        switch try fields.text("kind") {
        case "fixed": self = .fixed(try fields.needed(fields.span("seconds"), "seconds", "a number"))
        case "exponential": self = .exponential(mean: try fields.needed(fields.span("mean_s"), "mean_s", "a number"))
        case let kind:
            throw .badField(field: path + ".kind", found: "\"\(kind)\"", expected: "fixed or exponential")
        }
    }
}

extension JSONValue {
    /// A span as seconds; whole ones without a fraction.
    static func seconds(_ span: Nanoseconds) -> JSONValue {
        span % .second == 0 ? .integer(Int(span / .second)) : .double(span.seconds)
    }

    /// A whole number of 64 bits without sign.
    static func whole(_ value: UInt64) -> JSONValue {
        Int(exactly: value).map { .integer($0) } ?? .bigInteger(String(value))
    }
}

/// An object's fields, read with their places.
struct JSONFields {
    let value: JSONValue
    let path: String
    private let object: JSONObject

    init(_ value: JSONValue, at path: String) throws(WorkloadError) {
        guard let object = value.objectValue else {
            throw .badField(field: path.isEmpty ? "The workload" : path, found: value.kind, expected: "an object")
        }
        self.value = value
        self.path = path
        self.object = object
    }

    subscript(key: String) -> JSONValue? { object[key].flatMap { $0.isNull ? nil : $0 } }

    /// Refuses other fields.
    func allow(_ known: [String]) throws(WorkloadError) {
        for key in object.keys where !known.contains(key) { throw .unknownField(field: name(key), known: known) }
    }

    func required(_ key: String, _ expected: String) throws(WorkloadError) -> JSONValue {
        try needed(self[key], key, expected)
    }

    func needed<Value>(_ value: Value?, _ key: String, _ expected: String) throws(WorkloadError) -> Value {
        guard let value else { throw .missingField(field: name(key), expected: expected) }
        return value
    }

    func text(_ key: String, default fallback: String? = nil) throws(WorkloadError) -> String {
        guard let value = self[key] else { return try needed(fallback, key, "a string") }
        guard let text = value.stringValue else { throw bad(key, value, "a string") }
        return text
    }

    func number(_ key: String) throws(WorkloadError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.doubleValue else { throw bad(key, value, "a number") }
        return number
    }

    /// Requests per second.
    func rate(_ key: String) throws(WorkloadError) -> Double {
        try needed(number(key), key, "a number of requests per second")
    }

    func whole(_ key: String) throws(WorkloadError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.intValue else { throw bad(key, value, "a whole number") }
        return number
    }

    func seed(_ key: String) throws(WorkloadError) -> UInt64 {
        guard let value = self[key] else { return 0 }
        switch value {
        case .integer(let number) where number >= 0: return UInt64(number)
        case .bigInteger(let digits): if let number = UInt64(digits) { return number }
        default: break
        }
        throw bad(key, value, "a whole number from 0 to 18446744073709551615")
    }

    func flag(_ key: String) throws(WorkloadError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.boolValue else { throw bad(key, value, "true or false") }
        return flag
    }

    /// Seconds up to 292 years.
    func span(_ key: String) throws(WorkloadError) -> Nanoseconds? {
        guard let seconds = try number(key) else { return nil }
        guard seconds >= 0, let span = Nanoseconds(exactly: (seconds * 1e9).rounded()) else {
            throw bad(key, self[key] ?? .null, "a number of seconds, 0 or more")
        }
        return span
    }

    /// Rows of that many numbers each.
    func rows(_ key: String, of count: Int, _ expected: String) throws(WorkloadError) -> [[Double]] {
        let items: [JSONValue] = try required(key, "a list of " + expected).arrayValue ?? []
        var rows: [[Double]] = []
        for item in items {
            let numbers: [Double] = item.arrayValue?.compactMap(\.doubleValue) ?? []
            guard numbers.count == count, item.arrayValue?.count == count else {
                throw bad(key, item, "a list of " + expected)
            }
            rows.append(numbers)
        }
        guard !rows.isEmpty else { throw bad(key, self[key] ?? .null, "a list of one or more " + expected) }
        return rows
    }

    private func name(_ key: String) -> String { path.isEmpty ? key : path + "." + key }

    private func bad(_ key: String, _ value: JSONValue, _ expected: String) -> WorkloadError {
        .badField(field: name(key), found: value.text(), expected: expected)
    }
}
