// Length distributions as JSON.
import CServeCore

extension RequestLengths {
    var json: JSONValue {
        switch self {
        case .pairs(let pairs):
            return .object(
                JSONObject([("pairs_tokens", .array(pairs.map { [.integer($0.prompt), .integer($0.output)] }))]))
        case .separate(let prompt, let output, let correlation):
            var object = JSONObject([("prompt", prompt.json), ("output", output.json)])
            if correlation != 0 { object["correlation"] = .double(correlation) }
            return .object(object)
        }
    }

    init(json: JSONValue) throws(WorkloadError) {
        let fields = try JSONFields(json, at: "lengths")
        try fields.allow(["prompt", "output", "correlation", "pairs_tokens"])
        if fields["pairs_tokens"] != nil {
            let rows: [[Double]] = try fields.rows("pairs_tokens", of: 2, "pairs [prompt, output]")
            self = .pairs(rows.map { LengthPair(prompt: Int($0[0]), output: Int($0[1])) })
        } else {
            let prompt: JSONValue = try fields.required("prompt", "a distribution or a whole number")
            let output: JSONValue = try fields.required("output", "a distribution or a whole number")
            self = .separate(
                prompt: try LengthDistribution(json: prompt, at: "lengths.prompt"),
                output: try LengthDistribution(json: output, at: "lengths.output"),
                correlation: try fields.number("correlation") ?? 0)
        }
    }
}

extension LengthDistribution {
    /// The distribution as JSON.
    public var json: JSONValue {
        switch self {
        case .fixed(let length): return .integer(length)
        case .uniform(let low, let high):
            return ["kind": "uniform", "min_tokens": .integer(low), "max_tokens": .integer(high)]
        case .normal(let mean, let deviation, let range):
            let members: [(String, JSONValue)] = [
                ("kind", "normal"), ("mean_tokens", .double(mean)), ("std_tokens", .double(deviation)),
            ]
            return .object(JSONObject(members + range.members))
        case .lognormal(let median, let sigma, let range):
            let members: [(String, JSONValue)] = [
                ("kind", "lognormal"), ("p50_tokens", .double(median)), ("sigma", .double(sigma)),
            ]
            return .object(JSONObject(members + range.members))
        case .quantiles(let points):
            return [
                "kind": "quantiles", "points_tokens": .array(points.map { [.double($0.share), .double($0.tokens)] }),
            ]
        case .histogram(let bins):
            let rows: [JSONValue] = bins.map { [.integer($0.from), .integer($0.to), .double($0.weight)] }
            return ["kind": "histogram", "bins_tokens": .array(rows)]
        }
    }

    /// Reads a distribution; a whole number is a fixed length.
    /// - Throws: ``WorkloadError``, naming fields below `path`.
    public init(json: JSONValue, at path: String) throws(WorkloadError) {
        if let length = json.intValue {
            self = .fixed(length)
            return
        }
        let fields = try JSONFields(json, at: path)
        switch try fields.text("kind") {
        case "fixed":
            try fields.allow(["kind", "tokens"])
            self = .fixed(try fields.needed(fields.whole("tokens"), "tokens", "a whole number"))
        case "uniform":
            try fields.allow(["kind", "min_tokens", "max_tokens"])
            self = .uniform(
                try fields.needed(fields.whole("min_tokens"), "min_tokens", "a whole number"),
                try fields.needed(fields.whole("max_tokens"), "max_tokens", "a whole number"))
        case "normal":
            try fields.allow(["kind", "mean_tokens", "std_tokens", "min_tokens", "max_tokens"])
            self = .normal(
                mean: try fields.needed(fields.number("mean_tokens"), "mean_tokens", "a number"),
                standardDeviation: try fields.needed(fields.number("std_tokens"), "std_tokens", "a number"),
                within: try LengthRange(fields))
        case "lognormal": self = try LengthDistribution.lognormal(fields)
        case "quantiles": self = try LengthDistribution.quantiles(fields)
        case "histogram": self = try LengthDistribution.histogram(fields)
        case let kind:
            throw .badField(
                field: path + ".kind", found: "\"\(kind)\"",
                expected: "one of fixed, uniform, normal, lognormal, quantiles, histogram")
        }
    }

    private static func lognormal(_ fields: JSONFields) throws(WorkloadError) -> LengthDistribution {
        try fields.allow([
            "kind", "mean_tokens", "p50_tokens", "p90_tokens", "p99_tokens", "std_tokens", "sigma", "min_tokens",
            "max_tokens",
        ])
        let range = try LengthRange(fields)
        if let sigma = try fields.number("sigma") {
            let median: Double = try fields.needed(fields.number("p50_tokens"), "p50_tokens", "a number")
            return .lognormal(median: median, sigma: sigma, within: range)
        }
        let figures = LognormalFigures(
            mean: try fields.number("mean_tokens"), p50: try fields.number("p50_tokens"),
            p90: try fields.number("p90_tokens"), p99: try fields.number("p99_tokens"),
            standardDeviation: try fields.number("std_tokens"))
        guard let fit = figures.fitted() else {
            throw .badField(
                field: fields.path, found: "\(fields.value)",
                expected:
                    "a lognormal distribution given by two of mean_tokens, p50_tokens, p90_tokens, p99_tokens and "
                    + "std_tokens (mean with std, or in the order that one has), or by p50_tokens and sigma")
        }
        return .lognormal(median: fit.median, sigma: fit.sigma, within: range)
    }

    private static func quantiles(_ fields: JSONFields) throws(WorkloadError) -> LengthDistribution {
        try fields.allow(["kind", "points_tokens"])
        let rows: [[Double]] = try fields.rows("points_tokens", of: 2, "pairs [share, tokens]")
        return .quantiles(rows.map { LengthQuantile(share: $0[0], tokens: $0[1]) })
    }

    private static func histogram(_ fields: JSONFields) throws(WorkloadError) -> LengthDistribution {
        try fields.allow(["kind", "bins_tokens"])
        let rows: [[Double]] = try fields.rows("bins_tokens", of: 3, "triples [from, to, weight]")
        return .histogram(rows.map { LengthBin(from: Int($0[0]), to: Int($0[1]), weight: $0[2]) })
    }
}

extension LengthRange {
    var members: [(String, JSONValue)] {
        [("min_tokens", .integer(min))] + (max.map { [("max_tokens", .integer($0))] } ?? [])
    }

    init(_ fields: JSONFields) throws(WorkloadError) {
        min = try fields.whole("min_tokens") ?? 1
        max = try fields.whole("max_tokens")
    }
}
