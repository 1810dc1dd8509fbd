// The process' own memory, time and files, as Prometheus clients report them.

import Foundation

/// Figures of this process, read from /proc where there is one.
struct ProcessFigures: Sendable {
    var residentBytes: Double?
    var virtualBytes: Double?
    var cpuSeconds: Double?
    var openFiles: Double?
    var startSeconds: Double

    /// Reads them now.
    static func now(started: Double) -> ProcessFigures {
        var figures: ProcessFigures = ProcessFigures(startSeconds: started)
        if let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) {
            let pages: [Double] = statm.split(separator: " ").prefix(2).compactMap { Double($0) }
            let pageSize: Double = Double(sysconf(Int32(_SC_PAGESIZE)))
            figures.virtualBytes = pages.first.map { $0 * pageSize }
            figures.residentBytes = pages.count > 1 ? pages[1] * pageSize : nil
        }
        var time: timespec = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            figures.cpuSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        figures.openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count).map {
            Double($0)
        }
        return figures
    }

    /// Writes what is known.
    func write(_ text: inout PrometheusText) {
        if let virtualBytes {
            text.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", virtualBytes)
        }
        if let residentBytes {
            text.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", residentBytes)
        }
        text.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", startSeconds)
        if let cpuSeconds {
            text.counter("process_cpu_seconds", "Total user and system CPU time spent.", fraction: cpuSeconds)
        }
        if let openFiles { text.gauge("process_open_fds", "Number of open file descriptors.", openFiles) }
    }
}
