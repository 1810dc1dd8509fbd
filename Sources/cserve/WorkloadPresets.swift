// The workload presets inside the binary.

import CServeWorkload

extension WorkloadCatalog {
    /// The presets that this build brings.
    static func builtIn() throws -> WorkloadCatalog {
        let files: [[UInt8]] = InputFiles.current.builtIn("workloads", all: BuiltInFile.workloads)
        return WorkloadCatalog(try files.map { try WorkloadPreset(parsing: $0) })
    }
}
