// When requests are sent, as data, and the process that it describes.
import CServeCore

/// When requests are sent. Rates are requests per second (of conversations with turns: every turn counts).
public enum ArrivalProcess: Hashable, Sendable {
    /// Independent arrivals: gaps are exponential.
    case poisson(rate: Double)
    /// Gaps are Gamma(shape = burstiness, scale = 1 / (rate * burstiness)): burstiness is 1 / CV^2 of the gaps, lower is
    /// burstier, 1 is Poisson (as `vllm bench serve --burstiness`).
    case gamma(rate: Double, burstiness: Double)
    /// Equal gaps.
    case constant(rate: Double)
    /// Independent arrivals whose rate rises or falls over a span, and then stays.
    case ramp(from: Double, to: Double, over: Nanoseconds, growth: RampGrowth)
    /// Everything at the start (an infinite rate).
    case allAtOnce
    /// A number of clients, each of which waits for its answer before it sends again.
    case closedLoop(ClosedLoop)
    /// As a trace has recorded it, this many times as fast.
    case recorded(speedup: Double)

    /// Requests per second on average; nil for a closed loop, infinite for ``allAtOnce``; a ramp's final rate; a trace's
    /// rate is its own.
    public var rate: Double? {
        switch self {
        case .poisson(let rate), .gamma(let rate, _), .constant(let rate): rate
        case .ramp(_, let to, _, _): to
        case .allAtOnce: .infinity
        case .closedLoop, .recorded: nil
        }
    }

    /// The same process at another mean rate (a ramp: both ends scaled); a closed loop and a trace's times stay.
    public func scaled(toRate rate: Double) -> ArrivalProcess {
        switch self {
        case .poisson: .poisson(rate: rate)
        case .gamma(_, let burstiness): .gamma(rate: rate, burstiness: burstiness)
        case .constant: .constant(rate: rate)
        case .ramp(let from, let to, let span, let growth):
            .ramp(from: from * rate / to, to: rate, over: span, growth: growth)
        case .allAtOnce: .poisson(rate: rate)
        case .closedLoop, .recorded: self
        }
    }
}

/// How a rate goes from one value to another.
public enum RampGrowth: String, Hashable, Codable, Sendable, CaseIterable {
    /// By equal amounts in equal times.
    case linear
    /// By equal factors in equal times.
    case exponential
}

/// Clients that each send their next request when the last one is answered.
public struct ClosedLoop: Hashable, Sendable {
    /// Clients; with a wave, the most.
    public var clients: Int
    /// How the number of clients goes up and down; nil: it stays.
    public var wave: ConcurrencyWave?
    /// What a client waits between an answer and its next request.
    public var thinkTime: ThinkTime

    /// Describes clients.
    public init(clients: Int, wave: ConcurrencyWave? = nil, thinkTime: ThinkTime = .none) {
        self.clients = clients
        self.wave = wave
        self.thinkTime = thinkTime
    }

    /// How many clients send when that many requests have been answered.
    public func clients(finished: Int) -> Int { wave?.clients(finished: finished) ?? clients }
}

/// Clients that swing between two numbers, as flexible-inference-bench's `--wave MIN MAX SUSTAIN`: each extreme lasts for
/// that many answers; between them every second answer changes the number by one (there: each with probability 1/2).
public struct ConcurrencyWave: Hashable, Codable, Sendable {
    /// The fewest clients.
    public var min: Int
    /// The most clients.
    public var max: Int
    /// Answers at each extreme.
    public var sustain: Int

    /// Describes a wave, which starts at its maximum.
    public init(min: Int, max: Int, sustain: Int) {
        self.min = min
        self.max = max
        self.sustain = sustain
    }

    /// How many clients send when that many requests have been answered.
    public func clients(finished: Int) -> Int {
        let swing: Int = 2 * (max - min)
        var place: Int = finished % Swift.max(1, 2 * (swing + sustain))
        if place < sustain { return max }
        place -= sustain
        if place < swing { return max - place / 2 }
        place -= swing
        if place < sustain { return min }
        return min + (place - sustain) / 2
    }
}

/// What passes between an answer and the next request of the same person.
public enum ThinkTime: Hashable, Sendable {
    /// Nothing.
    case none
    /// Always the same.
    case fixed(Nanoseconds)
    /// Exponential with this mean.
    case exponential(mean: Nanoseconds)

    /// The next span.
    func next(_ generator: inout SeededGenerator) -> Nanoseconds {
        switch self {
        case .none: 0
        case .fixed(let span): span
        case .exponential(let mean): Nanoseconds((Double(mean) * generator.exponential()).rounded())
        }
    }
}
