// One measured run: warm-up, progress in the terminal, Ctrl-C.

import CServeBench
import CServeCore
import CServeWorkload
import Foundation

/// Measures a target.
struct BenchSession {
    let target: BenchTarget
    let settings: LoadSettings

    /// Clients that send requests which are not measured.
    private static let warmUpClients: Int = 4

    /// Sends requests of the workload's lengths, with other texts, that nobody measures.
    func warmUp(_ work: BenchWork, requests: Int) async throws {
        guard requests > 0 else { return }
        var warm: BenchWork = work
        // Recorded texts sent before would be in the prefix cache.
        warm.source = target.description.source
        warm.workload.seed = ~work.workload.seed
        warm.workload.requests = requests
        warm.workload.duration = nil
        warm.workload.arrivals = .closedLoop(ClosedLoop(clients: min(requests, Self.warmUpClients)))
        let answers: [RequestMeasurement] = await LoadGenerator(
            target.client, workload: warm.workload, writer: target.writer(warm), settings: settings
        ).measure()
        guard !answers.contains(where: { $0.failure == nil }), let failure = answers.first?.failure else { return }
        Console.complain("Note: no warm-up request was answered: \(failure.text).")
    }

    /// Sends the workload and collects the measurements. The first Ctrl-C ends the run with what there is by then.
    func measure(_ work: BenchWork) async -> BenchRun {
        let line = BenchProgressLine(total: work.workload.requests)
        let generator = LoadGenerator(
            target.client, workload: work.workload, writer: target.writer(work), settings: settings
        ) { line.show($0) }
        let signals = Signals()
        let watch: Task<Void, Never> = Task {
            var isEnding: Bool = false
            for await number in signals.stream {
                if isEnding { _exit(128 + number) }
                isEnding = true
                generator.interrupt()
            }
        }
        let began: Double = Date().timeIntervalSince1970
        let requests: [RequestMeasurement] = await generator.measure()
        watch.cancel()
        line.clear()
        return BenchRun(
            target: "\(target.client.server)", model: target.description.model, workload: work.workload, began: began,
            requests: requests)
    }
}

/// One line on standard error, where a person sees it.
final class BenchProgressLine: Sendable {
    private let isShown: Bool = isatty(STDERR_FILENO) == 1
    private let total: Int?

    init(total: Int?) {
        self.total = total
    }

    func show(_ progress: LoadProgress) {
        guard isShown else { return }
        write("\r\u{1B}[K" + text(progress))
    }

    /// The line: what was sent, what waits, what came back.
    func text(_ progress: LoadProgress) -> String {
        var parts: [String] = [
            "\(Int(progress.elapsed.seconds)) s", "sent \(progress.sent)" + (total.map { " of \($0)" } ?? ""),
            "running \(progress.running)", "done \(progress.finished)",
            "\(BenchText.figure(progress.rate))/s",
        ]
        if progress.finished > 0 {
            parts.append("ttft \(BenchText.time(progress.ttft.seconds))")
            if progress.tpot > 0 { parts.append("tpot \(BenchText.time(progress.tpot.seconds))") }
        }
        if progress.failed > 0 { parts.append("failed \(progress.failed)") }
        return parts.joined(separator: " | ")
    }

    func clear() {
        guard isShown else { return }
        write("\r\u{1B}[K")
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
