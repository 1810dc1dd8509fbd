// How much memory this process may still take: what the cache is sized by when nothing else says so.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Free memory of the host.
public enum AvailableMemory {
    /// Bytes that can be taken without swapping: Linux's `MemAvailable`, or what the control group leaves, whichever is
    /// less; elsewhere the memory of the machine. Nil when the system does not say.
    public static func bytes() -> Int? {
        let candidates = [machine(), controlGroup()].compactMap { $0 }
        return candidates.min()
    }

    private static func machine() -> Int? {
        if let line = text("/proc/meminfo")?.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        {
            return kibibytes << 10
        }
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return pages > 0 ? pages * Int(getpagesize()) : nil
    }

    /// What the process's control group (version 2, as containers see it) leaves.
    private static func controlGroup() -> Int? {
        func number(_ name: String) -> Int? {
            text("/sys/fs/cgroup/" + name).flatMap { Int($0.split(separator: "\n").first ?? "") }
        }
        guard let most = number("memory.max"), let current = number("memory.current") else { return nil }
        return max(0, most - current)
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
