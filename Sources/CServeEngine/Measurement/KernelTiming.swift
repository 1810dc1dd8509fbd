// Times kernel cases, with the machine's peaks measured in the same rounds.

import CServeCore

/// What a case took, beside what the machine could do in the same rounds.
public struct KernelTiming {
    /// What was run.
    public var kernel: KernelCase
    /// Seconds of one call, round by round.
    public var seconds = Samples()
    /// Bytes per second of the case's source, round by round.
    public var memoryPeak = Samples()
    /// Operations per second of the case's arithmetic, round by round.
    public var computePeak = Samples()
    /// The arithmetic that was measured: the case's, or f32 where the instruction set lacks it.
    public var arithmetic: Peak = .float32

    /// The time that its bytes need at the memory's peak.
    public var memoryBound: Double { kernel.bytes / memoryPeak.median }
    /// The time that its operations need at the arithmetic's peak.
    public var computeBound: Double { kernel.operations > 0 ? kernel.operations / computePeak.median : 0 }
    /// Whether memory is the nearer limit.
    public var isMemoryBound: Bool { memoryBound >= computeBound }
    /// How much of the nearer limit is reached: 1 is the limit itself.
    public var share: Double { max(memoryBound, computeBound) / seconds.median }
    /// Bytes per second.
    public var bytesPerSecond: Double { kernel.bytes / seconds.median }
    /// Operations per second.
    public var operationsPerSecond: Double { kernel.operations / seconds.median }
}

/// Runs cases one after the other.
public final class KernelTimer {
    private let backend: CPUBackend
    private let meter: PeakMeter
    private let rounds: Int
    /// Seconds of calls per round.
    private let roundSeconds: Double

    /// Prepares the peaks.
    /// - Throws: ``EngineError/outOfMemory(what:bytes:)``.
    public init(_ backend: CPUBackend, rounds: Int = 5, roundSeconds: Double = 0.01) throws {
        self.backend = backend
        self.rounds = rounds
        self.roundSeconds = roundSeconds
        meter = try PeakMeter(backend)
    }

    /// Times one case: every round measures the peaks, then the case for ``roundSeconds`` or one call, whichever is more.
    public func time(_ kernel: KernelCase) throws -> KernelTiming {
        let body = try kernel.prepare(backend)
        var call = 0
        func seconds(_ calls: Int) -> Double {
            let start = MonotonicClock.now()
            for _ in 0..<calls {
                body(call)
                call += 1
            }
            return (MonotonicClock.now() - start).seconds / Double(calls)
        }
        _ = seconds(1)
        let calls = max(1, Int(roundSeconds / max(seconds(2), 1e-9)))
        var timing = KernelTiming(kernel: kernel)
        timing.arithmetic = meter.measure(kernel.arithmetic) == nil ? .float32 : kernel.arithmetic
        for _ in 0..<rounds {
            timing.memoryPeak.add(meter.measure(kernel.source) ?? 0)
            if kernel.operations > 0 { timing.computePeak.add(meter.measure(timing.arithmetic) ?? 0) }
            timing.seconds.add(seconds(calls))
        }
        return timing
    }
}
