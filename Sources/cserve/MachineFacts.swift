// What this machine calls itself: the fingerprint that a profile carries.

import CServeCore
import CServeCost
import CServeEngine
import Foundation

/// Reads the system's own words.
enum MachineFacts {
    /// The fingerprint of this machine and program.
    static func fingerprint(threads: Int, instructionSet: String, generator: String) -> MachineFingerprint {
        MachineFingerprint(
            processor: processor, cores: ProcessInfo.processInfo.activeProcessorCount, threads: threads,
            instructionSet: instructionSet, memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory),
            system: ProcessInfo.processInfo.operatingSystemVersionString, generator: generator,
            date: String(Date().ISO8601Format().prefix(10)))
    }

    /// The processor's name.
    static var processor: String {
        let text: String = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return "unnamed processor"
    }
}
