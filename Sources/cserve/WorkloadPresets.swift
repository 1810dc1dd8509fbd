// The workload presets inside the binary.

import CServeWorkload

extension WorkloadCatalog {
    /// The presets that this build brings.
    static func builtIn() throws -> WorkloadCatalog {
        WorkloadCatalog(try BuiltInFile.workloads.map { try WorkloadPreset(parsing: $0) })
    }
}
