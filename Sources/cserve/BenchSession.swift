// Runs against one server: warm-up, progress in the terminal, Ctrl-C.

import CServeBench
import CServeCore
import CServeWorkload
import Foundation
import Synchronization

/// Measures a target. The first Ctrl-C ends the run with what there is by then, the second one the program.
final class BenchSession: Sendable {
    private let target: BenchTarget
    private let settings: LoadSettings
    private let state: Mutex<(generator: LoadGenerator?, isInterrupted: Bool)> = Mutex((nil, false))

    /// Clients that send requests which are not measured.
    private static let warmUpClients: Int = 4

    init(_ target: BenchTarget, settings: LoadSettings) {
        self.target = target
        self.settings = settings
        let signals = Signals()
        Task {
            for await number in signals.stream { self.interrupt(number) }
        }
    }

    /// Whether somebody wants to see what there is.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    private func interrupt(_ signal: Int32) {
        let generator: LoadGenerator? = state.withLock { state in
            guard !state.isInterrupted else { return nil }
            state.isInterrupted = true
            return state.generator
        }
        guard let generator else { _exit(128 + signal) }
        generator.interrupt()
    }

    /// Sends requests of the workload's lengths, with other texts, that nobody measures.
    func warmUp(_ work: BenchWork, requests: Int) async {
        guard requests > 0 else { return }
        var warm: BenchWork = work
        // Recorded texts sent before would be in the prefix cache.
        warm.source = target.description.source
        warm.workload.seed = ~work.workload.seed
        warm.workload.requests = requests
        warm.workload.duration = nil
        warm.workload.arrivals = .closedLoop(ClosedLoop(clients: min(requests, Self.warmUpClients)))
        let answers: [RequestMeasurement] = await send(warm, settings) { _ in }
        guard !answers.contains(where: { $0.failure == nil }), let failure = answers.first?.failure else { return }
        Console.complain("Note: no warm-up request was answered: \(failure.text).")
    }

    /// Sends the workload and collects the measurements.
    /// - Parameter title: what stands before the progress.
    func measure(_ work: BenchWork, title: String = "", settings: LoadSettings? = nil) async -> BenchRun {
        let line = BenchProgressLine(title: title, total: work.workload.requests)
        let began: Double = Date().timeIntervalSince1970
        let requests: [RequestMeasurement] =
            isInterrupted ? [] : await send(work, settings ?? self.settings) { line.show($0) }
        line.clear()
        return BenchRun(
            target: "\(target.client.server)", model: target.description.model, workload: work.workload, began: began,
            requests: requests)
    }

    private func send(
        _ work: BenchWork, _ settings: LoadSettings, _ onProgress: @escaping @Sendable (LoadProgress) -> Void
    ) async -> [RequestMeasurement] {
        let generator = LoadGenerator(
            target.client, workload: work.workload, writer: target.writer(work), settings: settings,
            onProgress: onProgress)
        state.withLock { $0.generator = generator }
        let requests: [RequestMeasurement] = await generator.measure()
        return requests
    }
}

/// One line on standard error, where a person sees it.
struct BenchProgressLine: Sendable {
    let title: String
    let total: Int?
    private let isShown: Bool = isatty(STDERR_FILENO) == 1

    init(title: String, total: Int?) {
        self.title = title
        self.total = total
    }

    func show(_ progress: LoadProgress) {
        guard isShown else { return }
        write("\r\u{1B}[K" + text(progress))
    }

    /// The line: what was sent, what waits, what came back.
    func text(_ progress: LoadProgress) -> String {
        var parts: [String] = title.isEmpty ? [] : [title]
        parts += [
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
