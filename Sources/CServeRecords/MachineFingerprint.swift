// What a result depends on besides its inputs: the machine and the system under it.

import Foundation

/// A machine, as far as results depend on it.
public struct MachineFingerprint: Hashable, Codable, Sendable {
    /// The processor's name.
    public var processor: String
    /// Cores that the process may use.
    public var cores: Int
    /// Memory in bytes.
    public var memoryBytes: Int
    /// The kernels' level (`avx512bf16`).
    public var instructionSet: String
    /// System and version.
    public var system: String
    /// Accelerators by name.
    public var accelerators: [String]

    private enum CodingKeys: String, CodingKey {
        case processor, cores
        case memoryBytes = "memory_bytes"
        case instructionSet = "instruction_set"
        case system, accelerators
    }

    /// A machine from its parts.
    public init(
        processor: String, cores: Int, memoryBytes: Int, instructionSet: String, system: String,
        accelerators: [String] = []
    ) {
        self.processor = processor
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.instructionSet = instructionSet
        self.system = system
        self.accelerators = accelerators
    }

    /// This machine; the kernels' level is asked of the engine, which the book does not know.
    public static func current(instructionSet: String) -> MachineFingerprint {
        let info: ProcessInfo = .processInfo
        return MachineFingerprint(
            processor: processorName, cores: info.activeProcessorCount, memoryBytes: Int(info.physicalMemory),
            instructionSet: instructionSet, system: info.operatingSystemVersionString, accelerators: nvidiaCards)
    }

    /// `model name` of /proc/cpuinfo (x86), else the architecture.
    private static var processorName: String {
        let text: String = SystemFile.text("/proc/cpuinfo") ?? ""
        let line: Substring? = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        guard let name = line?.split(separator: ":", maxSplits: 1).last else {
            #if arch(arm64)
                return "arm64"
            #else
                return "unknown"
            #endif
        }
        return name.trimmingCharacters(in: .whitespaces)
    }

    /// NVIDIA's driver lists its cards below /proc: no tool and no library is asked.
    private static var nvidiaCards: [String] {
        let folder: String = "/proc/driver/nvidia/gpus"
        let cards: [String] = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return cards.sorted().compactMap { card in
            let text: String = SystemFile.text("\(folder)/\(card)/information") ?? ""
            let line: Substring? = text.split(separator: "\n").first { $0.hasPrefix("Model:") }
            return line.map { $0.dropFirst("Model:".count).trimmingCharacters(in: .whitespaces) }
        }
    }
}

/// Small files that the system makes up.
enum SystemFile {
    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
