// Runs with known figures.
import CServeBench
import CServeCore
import CServeWorkload

/// An answered request: first token after `ttft`, then a token after each gap. Times in milliseconds.
func answered(
    _ index: Int, due: Double, late: Double = 0, ttft: Double, gaps: [Double], prompt: Int = 10
) -> RequestMeasurement {
    var one = RequestMeasurement(index: index, due: span(due), promptTokens: prompt)
    one.sent = span(due + late)
    one.head = span(due + late + ttft / 2)
    var time: Double = due + late + ttft
    one.chunks = [span(time)]
    for gap in gaps {
        time += gap
        one.chunks.append(span(time))
    }
    one.end = span(time)
    one.outputTokens = 1 + gaps.count
    one.finishReason = "length"
    return one
}

/// A request that failed after some time.
func failed(_ index: Int, due: Double, after: Double, _ failure: BenchFailure) -> RequestMeasurement {
    var one = RequestMeasurement(index: index, due: span(due), promptTokens: 10)
    one.end = span(due + after)
    one.failure = failure
    return one
}

/// Milliseconds.
func span(_ milliseconds: Double) -> Nanoseconds { Nanoseconds((milliseconds * 1e6).rounded()) }

/// A run of these requests.
func run(_ requests: [RequestMeasurement], digest: String = "d1", model: String = "m") -> BenchRun {
    let first: Nanoseconds = requests.map(\.due).min() ?? 0
    let last: Nanoseconds = requests.map(\.end).max() ?? 0
    return BenchRun(
        target: "http://127.0.0.1:8000", model: model, workload: #"{"name":"fixed"}"#, workloadDigest: digest,
        began: 1_700_000_000.25, duration: last - first, requests: requests)
}

/// Eight requests, 100 ms apart; the i-th has its first token after 20 + 7i ms and then 1 + i gaps, by turns 5 + i and 9 + i
/// ms; the sixth is refused.
func eightRequests() -> BenchRun {
    run(
        (0..<8).map { (index: Int) -> RequestMeasurement in
            let due: Double = Double(index) * 100
            guard index != 5 else { return failed(5, due: due, after: 3, .status(429, "busy")) }
            let gaps: [Double] = (0...index).map { Double(($0 % 2 == 0 ? 5 : 9) + index) }
            return answered(index, due: due, late: Double(index) / 100, ttft: 20 + 7 * Double(index), gaps: gaps)
        })
}

/// A single server with a queue: Poisson arrivals at `rate`, exponential service at `capacity` requests a second, and an
/// answer of `tokens` tokens that comes evenly during service.
func queueRun(rate: Double, capacity: Double, requests: Int, seed: UInt64, tokens: Int = 8) -> BenchRun {
    var random = SeededGenerator(seed: seed)
    var clock: Double = 0
    var free: Double = 0
    let all: [RequestMeasurement] = (0..<requests).map { (index: Int) -> RequestMeasurement in
        clock += exponential(&random) / rate
        let begin: Double = max(clock, free)
        let service: Double = exponential(&random) / capacity
        free = begin + service
        let gap: Double = service * 1e3 / Double(tokens)
        return answered(
            index, due: clock * 1e3, ttft: (begin - clock) * 1e3 + gap, gaps: Array(repeating: gap, count: tokens - 1))
    }
    return run(all)
}

/// By inverse transform; the logarithm as a series, for tests need no libm: -ln(u) for u in (0, 1].
private func exponential(_ random: inout SeededGenerator) -> Double {
    // A sum of halvings: each bit of a geometric number of trials, with a uniform remainder (von Neumann's method).
    var whole: Double = 0
    while true {
        let first: Double = random.unit()
        var before: Double = first
        var descends: Int = 1
        while true {
            let next: Double = random.unit()
            guard next < before else { break }
            before = next
            descends += 1
        }
        if descends % 2 == 1 { return whole + first }
        whole += 1
    }
}
