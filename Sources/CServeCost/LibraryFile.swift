// The file form of fitted curves: compact JSON with sources and dates, read in one pass at start.
import CServeCore

/// Fitted curves with where they come from, as `cserve calibrate` writes them.
public struct LibraryFile: Sendable {
    /// The form's version.
    public static let schema = "cserve-utilisation/1"

    /// One curve's origin.
    public struct Origin: Hashable, Sendable {
        /// The software measured, by version.
        public var version: String
        /// Who measured.
        public var source: String
        /// When it was read: `2026-11-24`.
        public var date: String

        /// Names an origin.
        public init(version: String, source: String, date: String) {
            self.version = version
            self.source = source
            self.date = date
        }
    }

    /// The curves.
    public let library: UtilisationLibrary
    /// Origins by accelerator and operator: `A100-80GB-SXM gemm bfloat16`.
    public let origins: [String: Origin]

    /// Describes a file.
    public init(library: UtilisationLibrary, origins: [String: Origin]) {
        self.library = library
        self.origins = origins
    }

    /// The name under which a curve's origin stands.
    public static func name(_ accelerator: String, _ curve: String) -> String { accelerator + " " + curve }

    /// The JSON of the file.
    public var json: JSONValue {
        let collectives: [JSONValue] = library.collectives.map { curve in
            [
                "accelerator": .string(curve.key.accelerator), "way": .string(curve.key.way),
                "ranks": .integer(curve.key.ranks),
                "bytes_ns": .array(
                    curve.points.flatMap { [LibraryFile.whole($0.bytes), LibraryFile.whole($0.seconds * 1e9)] }),
            ]
        }
        let origins: [(String, JSONValue)] = origins.sorted { $0.key < $1.key }.map { name, origin in
            (
                name,
                ["version": .string(origin.version), "source": .string(origin.source), "date": .string(origin.date)]
            )
        }
        return [
            "schema": .string(LibraryFile.schema), "origins": .object(JSONObject(origins)),
            "accelerators": .array(library.accelerators.map(LibraryFile.json)),
            "curves": .array(library.curves.map(LibraryFile.json)), "collectives": .array(collectives),
        ]
    }

    private static func whole(_ value: Double) -> JSONValue { .integer(Int(value.rounded())) }

    private static func json(_ accelerator: UtilisationLibrary.Accelerator) -> JSONValue {
        let spec: AcceleratorSpec = accelerator.spec
        let peaks: [(String, JSONValue)] = spec.peaks.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            ($0.key.rawValue, whole($0.value))
        }
        var object: JSONObject = JSONObject([
            ("name", .string(accelerator.name)), ("architecture", .string(spec.architecture)),
            ("compute_capability", .string(spec.computeCapability ?? "")),
            ("memory_bandwidth_bytes_per_s", whole(spec.memoryBandwidth)), ("l2_bytes", .integer(spec.l2Bytes ?? 0)),
            ("processors", .integer(spec.processors ?? 0)), ("peak_ops_per_s", .object(JSONObject(peaks))),
        ])
        if let links = accelerator.interconnect {
            object["interconnect"] = .string(links.kind.rawValue)
            object["link_bytes_per_s"] = whole(links.link.bandwidth)
        }
        return .object(object)
    }

    private static func json(_ curve: KernelCurve) -> JSONValue {
        let constants: [JSONValue] = curve.constants.map { .double(($0 * 1e6).rounded() / 1e6) }
        return [
            "accelerator": .string(curve.accelerator), "operator": .string(curve.kind.name),
            "constants": .array(constants), "points": .array(curve.samples.flatMap(LibraryFile.numbers)),
        ]
    }

    /// A point as whole numbers, its nanoseconds last.
    private static func numbers(_ sample: KernelSample) -> [JSONValue] {
        let time: JSONValue = whole(sample.seconds * 1e9)
        switch sample.work {
        case .gemm(let m, let n, let k, _): return [whole(m), whole(n), whole(k), time]
        case .prefill(let requests, let tokens, let context, let shape):
            return [whole(requests), whole(tokens), whole(context)] + form(shape) + [time]
        case .decode(let requests, let context, let shape):
            return [whole(requests), whole(context)] + form(shape) + [time]
        }
    }

    private static func form(_ shape: AttentionShape) -> [JSONValue] {
        [shape.heads, shape.kvHeads, shape.headDim, shape.window ?? 0, Int(shape.cacheBytes)].map { .integer($0) }
    }
}
