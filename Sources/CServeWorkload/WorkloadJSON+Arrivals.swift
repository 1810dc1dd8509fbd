// Arrival processes as JSON.
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
