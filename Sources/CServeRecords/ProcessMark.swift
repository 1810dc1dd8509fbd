// Which process writes a record, so that a reader can tell one that works from one that is gone.

import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A process, told from every later one that gets the same number.
public struct ProcessMark: Hashable, Codable, Sendable {
    /// The machine's name and its space of process numbers (containers have their own).
    public var host: String
    /// Which start of that machine.
    public var boot: String
    /// The process's number.
    public var id: Int32
    /// When the process was started, as the kernel counts; empty where it does not tell.
    public var start: String

    /// A process from its parts.
    public init(host: String, boot: String, id: Int32, start: String) {
        self.host = host
        self.boot = boot
        self.id = id
        self.start = start
    }

    /// Whether a process is still there.
    public enum State: Hashable, Sendable {
        /// It is at work.
        case alive
        /// It is gone.
        case gone
        /// It was on another machine or in another container, of which nothing is known here.
        case elsewhere
    }

    /// This process.
    public static let current: ProcessMark =
        ProcessMark(of: getpid())
        ?? ProcessMark(host: here, boot: thisBoot, id: getpid(), start: "")

    /// A process of this machine; nil where it is gone.
    init?(of id: Int32) {
        guard let start = Self.start(of: id) else { return nil }
        self.init(host: Self.here, boot: Self.thisBoot, id: id, start: start)
    }

    /// Whether the process is still there.
    public var state: State {
        guard host == Self.here else { return .elsewhere }
        guard boot == Self.thisBoot else { return .gone }
        if start.isEmpty { return kill(id, 0) == 0 || errno == EPERM ? .alive : .gone }
        return Self.start(of: id) == start ? .alive : .gone
    }

    private static let here: String = {
        let space: String? = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        return ProcessInfo.processInfo.hostName + (space.map { " \($0)" } ?? "")
    }()

    private static let thisBoot: String = (SystemFile.text("/proc/sys/kernel/random/boot_id") ?? "")
        .trimmingCharacters(in: .whitespacesAndNewlines)

    /// A process's start in clock ticks since the machine's; nil where it is gone, or ended and only not yet collected.
    ///
    /// Source: proc(5), `/proc/PID/stat`: fields 3 (state) and 22 (starttime); the name in field 2 may hold anything.
    private static func start(of id: Int32) -> String? {
        guard let text = SystemFile.text("/proc/\(id)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields: [Substring] = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return String(fields[19])
    }
}
