// Learns how long a pass takes from the passes that were run, so that limits and hints need no calibration.
import CServeCore

/// Online least squares for `time = a + b * tokens + c * context`, with a forgetting factor.
///
/// Sums are weighted by `forgetting` per step, so that about the last 200 passes count. A small ridge keeps the fit
/// defined while all passes look alike; it takes tokens that differ by less than its root for alike.
public struct StepTimeEstimator: Hashable, Codable, Sendable {
    /// Weight of a pass relative to the one after it.
    public static let forgetting: Double = 0.995
    /// Passes seen before estimates are given.
    public static let warmUp: Int = 4

    private static let ridge: Double = 1e-6
    private let tokenRidge: Double
    private var ones: Double = 0
    private var tokens: Double = 0
    private var context: Double = 0
    private var tokensSquared: Double = 0
    private var contextSquared: Double = 0
    private var tokensContext: Double = 0
    private var time: Double = 0
    private var timeTokens: Double = 0
    private var timeContext: Double = 0
    /// Passes seen.
    public private(set) var observations: Int = 0

    /// Knows nothing. `resolution` is the difference in tokens per pass that is told from none.
    public init(resolution: Double = 1) {
        tokenRidge = resolution * resolution * StepTimeEstimator.ridge
    }

    /// Takes in one pass. Lengths are scaled (thousand tokens, million positions, milliseconds) to keep the sums tame.
    public mutating func observe(_ load: BatchLoad, took span: Nanoseconds) {
        let keep: Double = StepTimeEstimator.forgetting
        let x: Double = Double(load.tokens) * 1e-3
        let y: Double = Double(load.context) * 1e-6
        let t: Double = Double(span) * 1e-6
        ones = ones * keep + 1
        tokens = tokens * keep + x
        context = context * keep + y
        tokensSquared = tokensSquared * keep + x * x
        contextSquared = contextSquared * keep + y * y
        tokensContext = tokensContext * keep + x * y
        time = time * keep + t
        timeTokens = timeTokens * keep + t * x
        timeContext = timeContext * keep + t * y
        observations += 1
    }

    /// The fitted model, or nil before ``warmUp`` passes.
    public var model: LinearStepTime? {
        guard observations >= StepTimeEstimator.warmUp else { return nil }
        let meanX: Double = tokens / ones
        let meanY: Double = context / ones
        let meanT: Double = time / ones
        let varX: Double = tokensSquared / ones - meanX * meanX + tokenRidge
        let varY: Double = contextSquared / ones - meanY * meanY + StepTimeEstimator.ridge
        let cov: Double = tokensContext / ones - meanX * meanY
        let covXT: Double = timeTokens / ones - meanX * meanT
        let covYT: Double = timeContext / ones - meanY * meanT
        let determinant: Double = varX * varY - cov * cov
        var b: Double = determinant > 0 ? (covXT * varY - covYT * cov) / determinant : 0
        var c: Double = determinant > 0 ? (covYT * varX - covXT * cov) / determinant : 0
        if c < 0 { (b, c) = (max(0, covXT / varX), 0) }
        if b < 0 { (b, c) = (0, max(0, covYT / varY)) }
        let a: Double = max(0, meanT - b * meanX - c * meanY)
        return LinearStepTime(fixed: a * 1e6, perToken: b * 1e3, perContext: c)
    }
}

/// `fixed + perToken * tokens + perContext * context`, in nanoseconds.
public struct LinearStepTime: Hashable, Codable, Sendable {
    /// Nanoseconds of an empty pass.
    public var fixed: Double
    /// Nanoseconds per token.
    public var perToken: Double
    /// Nanoseconds per attended position.
    public var perContext: Double

    /// Creates the model from its coefficients.
    public init(fixed: Double, perToken: Double, perContext: Double) {
        self.fixed = fixed
        self.perToken = perToken
        self.perContext = perContext
    }

    /// The time of a pass.
    public func predict(_ load: BatchLoad) -> Nanoseconds {
        Nanoseconds(fixed + perToken * Double(load.tokens) + perContext * Double(load.context))
    }
}

/// The predicted stage time of a candidate micro-batch: a cost function handed in, or what the scheduler measures.
public struct StepTimeModel: Sendable, Equatable {
    /// Tells models apart: two with the same name are taken for equal.
    public let name: String
    let function: (@Sendable (BatchLoad) -> Nanoseconds)?

    /// The scheduler's own online estimate.
    public static let measured = StepTimeModel(name: "measured", function: nil)

    /// A cost function of the owner's.
    public static func given(
        _ name: String, _ predict: @escaping @Sendable (BatchLoad) -> Nanoseconds
    ) -> StepTimeModel {
        StepTimeModel(name: name, function: predict)
    }

    /// Compares the names.
    public static func == (left: StepTimeModel, right: StepTimeModel) -> Bool { left.name == right.name }
}

/// Either kind of model, fixed for one decision.
struct StepTimePredictor {
    let function: (@Sendable (BatchLoad) -> Nanoseconds)?
    let linear: LinearStepTime?

    /// The predicted time; nil while nothing is known.
    func predict(_ load: BatchLoad) -> Nanoseconds? {
        if let function { return function(load) }
        return linear?.predict(load)
    }
}
