// Reads fitted curves.
import CServeCore

extension LibraryFile {
    /// Reads a file.
    /// - Throws: ``CalibrationError`` with the field.
    public init(parsing bytes: [UInt8], file: String) throws(CalibrationError) {
        let reader = LibraryReader(file: file)
        let root: JSONValue
        do {
            root = try JSONValue(parsing: bytes)
        } catch {
            throw .notJSON(file: file, reason: "\(error)")
        }
        let schema: String = try reader.text(root, "schema")
        guard schema == LibraryFile.schema else {
            throw .version(file: file, found: schema, known: LibraryFile.schema)
        }
        var accelerators: [UtilisationLibrary.Accelerator] = []
        for item in try reader.array(root, "accelerators") { accelerators.append(try reader.accelerator(item)) }
        var curves: [KernelCurve] = []
        for item in try reader.array(root, "curves") { curves.append(try reader.curve(item, accelerators)) }
        var collectives: [CollectiveCurve] = []
        for item in try reader.array(root, "collectives") { collectives.append(try reader.collective(item)) }
        var origins: [String: Origin] = [:]
        for (name, value) in root["origins"]?.objectValue?.members ?? [] {
            origins[name] = Origin(
                version: value["version"]?.stringValue ?? "", source: value["source"]?.stringValue ?? "",
                date: value["date"]?.stringValue ?? "")
        }
        self.init(
            library: UtilisationLibrary(accelerators: accelerators, curves: curves, collectives: collectives),
            origins: origins)
    }
}

/// Takes the fields of a curve file, with its name for messages.
private struct LibraryReader {
    let file: String

    func text(_ value: JSONValue, _ field: String) throws(CalibrationError) -> String {
        guard let text = value[field]?.stringValue else { throw .field(file: file, field: field, expected: "a text") }
        return text
    }

    func array(_ value: JSONValue, _ field: String) throws(CalibrationError) -> [JSONValue] {
        guard let items = value[field]?.arrayValue else { throw .field(file: file, field: field, expected: "a list") }
        return items
    }

    func number(_ value: JSONValue, _ field: String) throws(CalibrationError) -> Double {
        guard let number = value[field]?.doubleValue else {
            throw .field(file: file, field: field, expected: "a number")
        }
        return number
    }

    func numbers(_ value: JSONValue, _ field: String, multipleOf width: Int) throws(CalibrationError) -> [Double] {
        let numbers: [Double] = try array(value, field).compactMap(\.doubleValue)
        guard !numbers.isEmpty, numbers.count % width == 0, numbers.allSatisfy({ $0 >= 0 }) else {
            throw .field(file: file, field: field, expected: "a list of whole numbers, \(width) to a point")
        }
        return numbers
    }

    func accelerator(_ value: JSONValue) throws(CalibrationError) -> UtilisationLibrary.Accelerator {
        let name: String = try text(value, "name")
        var peaks: [ArithmeticType: Double] = [:]
        for (type, peak) in value["peak_ops_per_s"]?.objectValue?.members ?? [] {
            if let type = ArithmeticType(rawValue: type) { peaks[type] = peak.doubleValue }
        }
        let spec = AcceleratorSpec(
            name: name, title: name, architecture: try text(value, "architecture"),
            computeCapability: try text(value, "compute_capability"), memoryBytes: 0,
            memoryBandwidth: try number(value, "memory_bandwidth_bytes_per_s"), peaks: peaks,
            l2Bytes: Int(try number(value, "l2_bytes")), processors: Int(try number(value, "processors")))
        guard let kind = value["interconnect"]?.stringValue.flatMap(Interconnect.Kind.init(rawValue:)) else {
            return UtilisationLibrary.Accelerator(name: name, spec: spec)
        }
        let link = Link(latency: 0, bandwidth: try number(value, "link_bytes_per_s"))
        return UtilisationLibrary.Accelerator(
            name: name, spec: spec, interconnect: Interconnect(kind: kind, link: link))
    }

    func curve(
        _ value: JSONValue, _ accelerators: [UtilisationLibrary.Accelerator]
    ) throws(CalibrationError) -> KernelCurve {
        let name: String = try text(value, "operator")
        let owner: String = try text(value, "accelerator")
        guard let kind = CurveKind(name: name) else {
            throw .field(file: file, field: "operator", expected: "gemm TYPE, prefill attention or decode attention")
        }
        guard let spec = accelerators.first(where: { $0.name == owner })?.spec else {
            throw .unknownAccelerator(file: file, name: owner, known: accelerators.map(\.name))
        }
        let constants: [Double] = try array(value, "constants").compactMap(\.doubleValue)
        guard constants.count == kind.constants.count, constants.allSatisfy({ $0 > 0 }) else {
            throw .field(file: file, field: "constants", expected: "\(kind.constants.count) numbers above 0")
        }
        let width: Int = LibraryReader.width(kind)
        let flat: [Double] = try numbers(value, "points", multipleOf: width)
        let samples: [KernelSample] = stride(from: 0, to: flat.count, by: width).map {
            LibraryReader.sample(kind, flat[$0..<($0 + width)])
        }
        return KernelCurve(kind, accelerator: owner, rates: DeviceRates(spec), samples: samples, constants: constants)
    }

    private static func width(_ kind: CurveKind) -> Int {
        switch kind {
        case .gemm: 4
        case .prefill: 9
        case .decode: 8
        }
    }

    private static func sample(_ kind: CurveKind, _ numbers: ArraySlice<Double>) -> KernelSample {
        let values: [Double] = Array(numbers)
        let seconds: Double = max(1, values[values.count - 1]) * 1e-9
        func shape(_ first: Int) -> AttentionShape {
            AttentionShape(
                heads: Int(values[first]), kvHeads: Int(values[first + 1]), headDim: Int(values[first + 2]),
                window: values[first + 3] > 0 ? Int(values[first + 3]) : nil, cacheBytes: values[first + 4])
        }
        switch kind {
        case .gemm(let type):
            return KernelSample(.gemm(m: values[0], n: values[1], k: values[2], type: type), seconds: seconds)
        case .prefill:
            let work = KernelWork.prefill(requests: values[0], tokens: values[1], context: values[2], shape: shape(3))
            return KernelSample(work, seconds: seconds)
        case .decode:
            return KernelSample(.decode(requests: values[0], context: values[1], shape: shape(2)), seconds: seconds)
        }
    }

    func collective(_ value: JSONValue) throws(CalibrationError) -> CollectiveCurve {
        let key = CollectiveCurve.Key(
            accelerator: try text(value, "accelerator"), way: try text(value, "way"),
            ranks: Int(try number(value, "ranks")))
        let flat: [Double] = try numbers(value, "bytes_ns", multipleOf: 2)
        let points: [CollectiveCurve.Point] = stride(from: 0, to: flat.count, by: 2).map {
            CollectiveCurve.Point(bytes: flat[$0], seconds: flat[$0 + 1] * 1e-9)
        }
        return CollectiveCurve(key, points)
    }
}
