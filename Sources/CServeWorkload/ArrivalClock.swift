// Walks through the arrival times of a process, one by one, from its own stream of random numbers.
import CServeCore

/// Gives arrival times in order. Gaps are drawn in units of the mean gap, so that another rate draws the same numbers.
struct ArrivalClock: Sendable {
    private let process: ArrivalProcess
    /// By how much the process's rate counts too many: requests per arrival.
    private let requestsPerArrival: Double
    private var generator: SeededGenerator
    /// Seconds of the last arrival, or for ramps the arrivals expected until it.
    private var place: Double = 0
    private var count: Int = 0

    init(_ process: ArrivalProcess, requestsPerArrival: Double, generator: SeededGenerator) {
        self.process = process
        self.requestsPerArrival = requestsPerArrival
        self.generator = generator
    }

    /// The next arrival; nil in a closed loop.
    mutating func next() -> Nanoseconds? {
        count += 1
        switch process {
        case .allAtOnce: return 0
        case .closedLoop, .recorded: return nil
        case .constant(let rate):
            return ArrivalClock.nanoseconds(Double(count - 1) * requestsPerArrival / rate)
        case .poisson(let rate): place += generator.exponential() * requestsPerArrival / rate
        case .gamma(let rate, let burstiness):
            place += generator.gamma(shape: burstiness) / burstiness * requestsPerArrival / rate
        case .ramp(let from, let to, let span, let growth):
            place += generator.exponential() * requestsPerArrival
            return ArrivalClock.nanoseconds(
                ArrivalClock.time(expecting: place, from: from, to: to, over: span.seconds, growth))
        }
        return ArrivalClock.nanoseconds(place)
    }

    private static func nanoseconds(_ seconds: Double) -> Nanoseconds {
        Nanoseconds((min(seconds, 9e9) * 1e9).rounded())
    }

    /// When a process with a changing rate expects that many arrivals (the inverse of the integral of its rate).
    ///
    /// Source: Çinlar, "Introduction to stochastic processes", 1975: arrivals of a Poisson process with rate 1, carried over.
    static func time(
        expecting arrivals: Double, from: Double, to: Double, over span: Double, _ growth: RampGrowth
    ) -> Double {
        let isExponential: Bool = growth == .exponential && from != to
        let slope: Double = isExponential ? PortableMath.log(to / from) / span : (to - from) / span
        let whole: Double = isExponential ? (to - from) / slope : (from + to) / 2 * span
        guard arrivals < whole else { return span + (arrivals - whole) / to }
        if isExponential { return PortableMath.log(1 + arrivals * slope / from) / slope }
        // slope / 2 t^2 + from t = arrivals, in the form that does not cancel.
        return 2 * arrivals / (from + (from * from + 2 * slope * arrivals).squareRoot())
    }
}
