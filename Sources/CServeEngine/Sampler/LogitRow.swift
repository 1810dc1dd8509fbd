// One row of logits in a few passes of the C kernels: its greatest, its log-sum-exp, its exponentials, a place's rank.

import CKernels
import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Passes over one row of logits at one instruction set. All are pure functions of the row, so a request's numbers do not
/// depend on its company.
struct LogitRow {
    /// A logit's place and value.
    struct Greatest {
        /// Its column; the lowest of equals.
        var token: Int
        /// Its value.
        var value: Float
    }

    /// Terms per partial sum: short enough for f32, and the stride of the search for a sampled token.
    static let run = Int(CS_SAMPLING_RUN)

    /// Partial sums of a row of so many numbers.
    static func runs(_ count: Int) -> Int { (count + run - 1) / run }

    private let kernels: cs_sampling

    /// The kernels of an instruction set; portable ones if the machine does not run it.
    init(_ instructionSet: CPUInstructionSet = .best) {
        let found = cs_sampling_kernels(instructionSet.isa) ?? cs_sampling_kernels(CS_ISA_PORTABLE)
        guard let found else { preconditionFailure("every machine runs the portable kernels") }
        kernels = found.pointee
    }

    /// The greatest logit.
    /// - Throws: ``SamplingError`` if a logit is not a number or infinite, or if all are masked.
    func greatest(_ row: UnsafeBufferPointer<Float>) throws(SamplingError) -> Greatest {
        let value = kernels.greatest(row.baseAddress, Int32(row.count))
        if value.isNaN { throw .notANumber }
        if value == .infinity { throw .infinite }
        guard value > -.infinity else { throw .allMasked }
        return Greatest(token: Int(kernels.next_above(row.baseAddress, 0, Int32(row.count), value, true)), value: value)
    }

    /// The first place from `first` on whose logit is above the bar; the row's count if there is none.
    func next(above bar: Float, from first: Int, in row: UnsafeBufferPointer<Float>) -> Int {
        Int(kernels.next_above(row.baseAddress, Int32(first), Int32(row.count), bar, false))
    }

    /// A token's rank: 1 for the likeliest; of equals, the lower id first.
    func rank(of token: Int, in row: UnsafeBufferPointer<Float>) -> Int {
        Int(kernels.rank(row.baseAddress, Int32(row.count), Int32(token)))
    }

    /// `log(sum(exp(row)))`, given the row's greatest.
    func logSumExp(_ row: UnsafeBufferPointer<Float>, greatest: Float) -> Double {
        Double(greatest) + log(exponentials(row, greatest: greatest, scale: 1, floor: 0))
    }

    /// Sums `exp((x - greatest) * scale)` over the row, leaving out terms below `floor`; writes the terms (those left out
    /// are 0) and the sums of runs where a place for them is given.
    func exponentials(
        _ row: UnsafeBufferPointer<Float>, greatest: Float, scale: Float, floor: Float,
        terms: UnsafeMutablePointer<Float>? = nil, sums: UnsafeMutablePointer<Float>? = nil
    ) -> Double {
        kernels.exponentials(row.baseAddress, Int32(row.count), greatest, scale, floor, terms, sums)
    }

    /// Sums the terms that are at least `bound`; writes the sums of runs where a place for them is given.
    func sum(
        _ terms: UnsafeBufferPointer<Float>, from bound: Float, sums: UnsafeMutablePointer<Float>? = nil
    ) -> Double {
        kernels.sum_from(terms.baseAddress, Int32(terms.count), bound, sums)
    }

    /// Keeps, in order, the terms from `low` up to, not including, `high`; returns how many. `kept` may be the terms.
    func keep(
        _ terms: UnsafeBufferPointer<Float>, from low: Float, below high: Float, in kept: UnsafeMutablePointer<Float>
    ) -> Int {
        Int(kernels.between(terms.baseAddress, Int32(terms.count), low, high, kept))
    }
}
