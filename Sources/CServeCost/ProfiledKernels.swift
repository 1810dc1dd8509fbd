// Attention of decodes out of per-operator profiles: accelerators that no kernel table knows teach the physics too.
import CServeCore

/// Kernels of one accelerator, taken from profiles of models.
public struct ProfiledKernels: Sendable {
    /// The accelerator's data sheet.
    public let spec: AcceleratorSpec
    /// Its kernels.
    public private(set) var samples: [KernelSample] = []

    /// An accelerator without kernels.
    public init(_ spec: AcceleratorSpec) { self.spec = spec }

    /// Adds the decodes that were profiled alone (`attention.csv` of a profile: columns prefill_chunk, kv_prefill, n_decode,
    /// kv_decode, time_us). Prompts are left: clocks beyond the data sheet (RTX 4090) pull the share of the peak up.
    ///
    /// A profile times the write to the cache with attention: one more kernel, which is taken off.
    /// - Parameter shape: the heads of one rank.
    /// - Throws: ``CalibrationError`` with the line.
    public mutating func add(
        parsing bytes: some Sequence<UInt8>, file: String, shape: AttentionShape
    ) throws(CalibrationError) {
        let write: Double = DeviceRates(spec).seconds(kilocycles: PrefillPhysics.sharingOut)
        do {
            let table: CSVTable = try CSVTable(parsing: bytes)
            for row in table.rows {
                let tokens: Double = try table.number(row, "prefill_chunk")
                let requests: Double = try table.number(row, "n_decode")
                let seconds: Double = try table.number(row, "time_us") * 1e-6 - write
                guard seconds > 0 else { continue }
                if tokens == 0, requests > 0 {
                    let context: Double = try table.number(row, "kv_decode")
                    let work = KernelWork.decode(requests: requests, context: context, shape: shape)
                    samples.append(KernelSample(work, seconds: seconds, line: row.line))
                }
            }
        } catch {
            throw .table(file: file, error)
        }
    }
}
