// A run under way, on the client's event loop: what is due is sent, what ends may send more.
import CServeCore
import CServeWorkload
import NIOCore

/// State of a run. Unchecked: touched on the client's event loop only.
final class LoadRun: @unchecked Sendable {
    /// What a client of a closed loop waits that was not even let in, so that a dead server is not hammered.
    private static let penalty: Nanoseconds = .second / 10

    private let client: StreamingClient
    private let writer: RequestWriter
    private let settings: LoadSettings
    private let onProgress: @Sendable (LoadProgress) -> Void
    private let isOpen: Bool
    /// When clients of a closed loop stop.
    private let sendingEnd: Nanoseconds
    private var feed: WorkloadFeed<WorkloadStream>
    private var origin: NIODeadline = .now()
    private var measurements: [RequestMeasurement] = []
    private var progress = LoadProgress()
    /// Answers of conversations, for later turns.
    private var answers: [Int: ReceivedAnswer] = [:]
    /// The next request's body, made before it is due.
    private var prepared: (index: Int, body: ByteBuffer)?
    private var timer: Scheduled<Void>?
    private var timerDue: Nanoseconds = .max
    private var bounds: [Scheduled<Void>] = []
    private var reporter: RepeatedTask?
    /// When the bound on running requests last let one in that it may have held back.
    private var admittedAt: Nanoseconds = 0
    private var isStopping: Bool = false
    private var isStepping: Bool = false
    private var onEnd: (([RequestMeasurement]) -> Void)?

    init(
        _ client: StreamingClient, _ workload: Workload, _ writer: RequestWriter, _ settings: LoadSettings,
        _ onProgress: @escaping @Sendable (LoadProgress) -> Void
    ) {
        self.client = client
        self.writer = writer
        self.settings = settings
        self.onProgress = onProgress
        let load = LoadPattern(workload.arrivals)
        isOpen = load == .openLoop
        sendingEnd = isOpen ? .max : workload.duration ?? .max
        feed = WorkloadFeed(workload.stream(), load)
    }

    private var now: Nanoseconds { (NIODeadline.now() - origin).nanoseconds }

    /// Starts the clock.
    func begin(_ onEnd: @escaping ([RequestMeasurement]) -> Void) {
        self.onEnd = onEnd
        prepare()
        origin = .now()
        if let limit = settings.maxRunTime {
            bounds.append(client.loop.scheduleTask(in: .nanoseconds(limit)) { self.stop() })
        }
        let interval: TimeAmount = .nanoseconds(settings.progressInterval)
        reporter = client.loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in self.report() }
        step()
    }

    /// Ends the run: nothing more is sent, and nobody waits any longer.
    func stop() {
        guard !isStopping, onEnd != nil else { return }
        isStopping = true
        client.cancelAll(.interrupted)
        step()
    }

    /// Sends what is due, and looks when the next is.
    private func step() {
        guard !isStepping, onEnd != nil else { return }
        isStepping = true
        while let due = nextDue, due <= now { send(due) }
        isStepping = false
        if isOver { return end() }
        prepare()
        arm()
    }

    /// When the next request is due; nil: none may be sent now.
    private var nextDue: Nanoseconds? {
        guard !isStopping, let due = feed.nextArrival, due < sendingEnd || feed.next?.after != nil else { return nil }
        return isFull ? nil : due
    }

    private var isFull: Bool { progress.running >= settings.maxConcurrency ?? .max }

    private var isOver: Bool {
        guard progress.running == 0 else { return false }
        guard !isStopping, let due = feed.nextArrival else { return true }
        return due >= sendingEnd && feed.next?.after == nil
    }

    private func send(_ due: Nanoseconds) {
        guard let request = feed.removeFirst() else { return }
        var measurement = RequestMeasurement(
            index: request.index, due: max(due, admittedAt), promptTokens: request.promptLength)
        measurement.sent = now
        progress.sent += 1
        progress.running += 1
        let body: ByteBuffer = prepared?.index == request.index ? prepared?.body ?? make(request) : make(request)
        prepared = nil
        let keepsAnswer: Bool = request.session != nil
        let exchange = StreamingExchange(
            WireRequest(method: .POST, path: client.server.prefix + writer.endpoint.rawValue, body: body),
            reader: AnswerReader(measurement, keepsAnswer: keepsAnswer), origin: origin,
            onChunk: { self.progress.chunks += 1 },
            onEnd: { self.take($0, $1, of: request) })
        client.send(exchange, timeout: settings.timeout)
    }

    private func take(_ measurement: RequestMeasurement, _ answer: ReceivedAnswer, of request: WorkloadRequest) {
        guard onEnd != nil else { return }
        measurements.append(measurement)
        var time: Nanoseconds = now
        if isFull { admittedAt = time }
        progress.running -= 1
        progress.take(measurement)
        let hasFailed: Bool = measurement.failure != nil
        if request.session != nil, !hasFailed { answers[request.index] = answer }
        if !isOpen, case .connection = measurement.failure { time += Self.penalty }
        feed.ended(request.index, at: time, failed: hasFailed, mayHaveTurns: request.session != nil)
        if hasFailed { lose(feed.takeLost()) }
        step()
    }

    /// Counts turns that are never sent.
    private func lose(_ turns: [WorkloadRequest]) {
        guard !isStopping else { return }
        for turn in turns {
            var measurement = RequestMeasurement(index: turn.index, due: now, promptTokens: turn.promptLength)
            measurement.failure = .answerBeforeMissing
            measurements.append(measurement)
            progress.take(measurement)
        }
    }

    private func make(_ request: WorkloadRequest) -> ByteBuffer {
        ByteBuffer(bytes: writer.body(request, answers: answers))
    }

    /// Writes the next request's body while there is time.
    private func prepare() {
        guard !isStopping, let next = feed.next, prepared?.index != next.index else { return }
        prepared = (next.index, make(next))
    }

    private func arm() {
        guard let due = nextDue, due != timerDue || timer == nil else { return }
        timer?.cancel()
        timerDue = due
        timer = client.loop.scheduleTask(deadline: origin + .nanoseconds(due)) {
            self.timer = nil
            self.step()
        }
    }

    private func report() {
        progress.elapsed = now
        onProgress(progress)
    }

    private func end() {
        lose(feed.takeLost() + feed.takeWaiting())
        timer?.cancel()
        reporter?.cancel()
        for bound in bounds { bound.cancel() }
        report()
        let done: (([RequestMeasurement]) -> Void)? = onEnd
        onEnd = nil
        done?(measurements.sorted { $0.index < $1.index })
    }
}
