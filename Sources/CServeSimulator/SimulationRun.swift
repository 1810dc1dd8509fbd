// The simulation's loop: time jumps from event to event.
import CServeCore
import CServeScheduling
import CServeWorkload

/// One simulation under way.
struct SimulationRun<Source: IteratorProtocol<WorkloadRequest>> {
    let cluster: ClusterSpec
    let options: SimulationOptions
    private(set) var replicas: [ReplicaLoop]
    private(set) var books: RequestBooks
    private var router: Router
    private var feed: WorkloadFeed<Source>
    private var prompts: PromptMaker
    private(set) var now: Nanoseconds = 0

    private let endsAtPreemption: Bool

    init(
        _ cluster: ClusterSpec, _ options: SimulationOptions, _ source: Source, endsAtPreemption: Bool = false
    ) {
        self.endsAtPreemption = endsAtPreemption
        self.cluster = cluster
        self.options = options
        replicas = cluster.replicas.map { ReplicaLoop($0, skips: options.skipsSteadySteps) }
        books = RequestBooks(options)
        router = Router(cluster.routing, replicas: cluster.replicas.count)
        feed = WorkloadFeed(source, options.load)
        prompts = PromptMaker(cluster, options)
    }

    /// Serves to the end; false if somebody was preempted and that was to end it. At any time, first all replicas finish,
    /// then arrivals are shared out, then replicas start.
    @discardableResult
    mutating func serve() -> Bool {
        while let next = nextEvent {
            now = max(now, next)
            finish()
            while let arrival = feed.nextArrival, arrival <= now, let request = feed.removeFirst() {
                send(request, at: options.load == .openLoop && request.after == nil ? arrival : now)
            }
            proceed()
            if endsAtPreemption, books.preemptions > 0 { return false }
        }
        lose(feed.takeLost() + feed.takeWaiting())
        return true
    }

    private var nextEvent: Nanoseconds? {
        var next: Nanoseconds = feed.nextArrival ?? .max
        for index in replicas.indices { next = min(next, replicas[index].nextEvent) }
        return next == .max ? nil : next
    }

    private mutating func finish() {
        for index in replicas.indices where replicas[index].nextEvent <= now {
            books.egress = cluster.replicas[index].timing.egressTime
            replicas[index].finish(at: now, &books)
        }
        settle()
    }

    private mutating func proceed() {
        for index in replicas.indices where replicas[index].nextEvent <= now {
            books.egress = cluster.replicas[index].timing.egressTime
            replicas[index].proceed(at: now, until: deadline(of: index), &books)
        }
        settle()
    }

    /// The next time at which a replica may get something: the next arrival, or what another's end may send.
    private func deadline(of replica: Int) -> Nanoseconds {
        var deadline: Nanoseconds = feed.nextArrival ?? .max
        guard feed.dependsOnEnds else { return deadline }
        for index in replicas.indices where index != replica {
            deadline = min(deadline, replicas[index].nextEvent)
        }
        return deadline
    }

    private mutating func send(_ request: WorkloadRequest, at arrival: Nanoseconds) {
        let made = prompts.request(request)
        let replica: Int = router.route(made.routing)
        let id: RequestID = books.open(request, at: arrival, on: replica)
        var served: Request = made.request
        served.id = id
        books.egress = 0
        if let failure = refusal(of: served, replica) {
            books.refuse(id, failure, at: now)
            settle()
            return
        }
        let ingress: Nanoseconds = cluster.replicas[replica].timing.ingressTime(promptTokens: request.promptLength)
        replicas[replica].add(served, at: arrival + ingress)
    }

    private func refusal(of request: Request, _ replica: Int) -> RequestFailure? {
        let length: Int = cluster.replicas[replica].scheduler.maxModelLength
        if request.promptTokens.count + request.sampling.maxTokens > length { return .tooLong }
        switch replicas[replica].admission.refusal(of: request, queue: replicas[replica].knownQueue) {
        case nil: return nil
        case .overloaded: return .queueFull
        default: return .tooLong
        }
    }

    /// Tells router and feed what has ended.
    private mutating func settle() {
        for ending in books.takeEndings() {
            router.ended(ending.promptTokens, on: ending.replica)
            feed.ended(
                ending.index, at: ending.time, failed: ending.failed, mayHaveTurns: ending.mayHaveTurns)
            if ending.failed { lose(feed.takeLost()) }
        }
    }

    /// Counts turns that are never sent.
    private mutating func lose(_ turns: [WorkloadRequest]) {
        for turn in turns { books.lose(turn, at: now) }
    }
}
