// The backends by name: a new one is one file and one row.

import CServeCore

/// Finds backends.
public enum BackendTable {
    /// One backend.
    public struct Row: Sendable {
        /// Its name in `--device`.
        public var name: String
        /// How far its log-probabilities may lie from f32 arithmetic on the same weights.
        public var tolerance: Double
        /// Makes it, with a number of threads (nil: every core).
        public var make: @Sendable (_ threads: Int?) throws -> any Backend

        /// Describes a backend.
        public init(name: String, tolerance: Double, make: @escaping @Sendable (Int?) throws -> any Backend) {
            self.name = name
            self.tolerance = tolerance
            self.make = make
        }
    }

    /// The backends, best first.
    public static let rows: [Row] = [
        Row(name: "cpu", tolerance: 5e-2) { threads in try CPUBackend(threads: threads, ownsCores: true) },
        Row(name: "reference", tolerance: 1e-4) { _ in Reference() },
    ]

    /// Makes a backend by its name; `auto` takes the best.
    /// - Throws: ``EngineError/unknownBackend(name:supported:)``.
    public static func make(_ name: String, threads: Int?) throws -> any Backend {
        guard let row = name == "auto" ? rows.first : rows.first(where: { $0.name == name }) else {
            throw EngineError.unknownBackend(name: name, supported: ["auto"] + rows.map(\.name))
        }
        return try row.make(threads)
    }
}

extension Backend {
    /// The name alone.
    public var title: String { name }

    /// Nothing, where all memory is there from the start or it does not matter.
    public func populate(_ cache: KVCache, bytes: Int) {}

    /// The types as asked: `auto` keeps weights as stored, and caches in the type of those that are plain; codes stay codes.
    public func formats(stored: StoredFormats, shape: ModelShape, recipe: Recipe) throws -> MemoryPlan.Formats {
        let plain = try element(recipe.dtype, field: "dtype", automatic: stored.element)
        let cache = try cacheFormat(recipe.cacheDtype, automatic: CacheFormat(plain))
        var weights = WeightLayouts(
            weightLayout(.plain(plain)), exceptions: stored.coded.mapValues { weightLayout(.quantized($0)) })
        if let asked = recipe.quantization, asked != stored.method {
            guard stored.method == nil, stored.coded.isEmpty, let quantization = Quantization(rawValue: asked) else {
                throw EngineError.quantizationMismatch(asked: asked, stored: stored.method)
            }
            weights = WeightLayouts(quantization, plain: plain, shape: shape, layout: weightLayout)
        }
        return MemoryPlan.Formats(weights: weights, cache: cache)
    }

    /// The cache's format that a recipe names.
    /// - Throws: ``EngineError/unsupportedType(field:value:supported:)``.
    public func cacheFormat(_ name: String, automatic: CacheFormat) throws -> CacheFormat {
        if name == "auto" { return automatic }
        guard let format = CacheFormat(name: name) else {
            throw EngineError.unsupportedType(
                field: "cache_dtype", value: name, supported: ["auto"] + CacheFormat.names)
        }
        return format
    }

    /// The element type that a recipe's field names.
    /// - Throws: ``EngineError/unsupportedType(field:value:supported:)``.
    public func element(_ name: String, field: String, automatic: ElementType) throws -> ElementType {
        if name == "auto" { return automatic }
        guard let element = ElementType(rawValue: name) else {
            throw EngineError.unsupportedType(
                field: field, value: name, supported: ["auto"] + ElementType.allCases.map(\.rawValue))
        }
        return element
    }
}
