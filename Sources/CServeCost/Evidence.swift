// What a predicted time rests on: a plan that says "measured" and one that says "a datasheet" are two different promises.

/// Where a predicted time comes from, the surest first.
public enum EvidenceKind: Int, Hashable, Codable, Sendable, CaseIterable, Comparable {
    /// The very point, or the very model's operators, were measured on this accelerator.
    case measured
    /// Between measured points of this accelerator.
    case interpolated
    /// Outside of the measured grid of this accelerator: its utilisation is held.
    case extrapolated
    /// Other shapes were measured on this accelerator: the utilisation of the nearest ones.
    case neighbouring
    /// The utilisation of another accelerator of the same architecture.
    case sibling
    /// The utilisation of accelerators of other architectures, scaled by the data sheets.
    case scaled
    /// Data sheet and physical model alone.
    case theoretical

    /// The surer one comes first.
    public static func < (left: EvidenceKind, right: EvidenceKind) -> Bool { left.rawValue < right.rawValue }

    /// One word for tables and plans.
    public var name: String {
        switch self {
        case .measured: "measured"
        case .interpolated: "interpolated"
        case .extrapolated: "extrapolated"
        case .neighbouring: "neighbouring shapes"
        case .sibling: "sibling accelerator"
        case .scaled: "other accelerators, scaled"
        case .theoretical: "data sheet"
        }
    }
}

extension EvidenceKind {
    /// The range of errors (predicted over measured, less one) that a plan states for whole steps on such evidence.
    ///
    /// Assumed from the operators' errors (docs/results/fidelity.md: medians of 2 to 5% inside the grid, 4 to 14% by data
    /// sheet), of which much cancels over a step; a calibration brings its own.
    public var interval: ErrorInterval {
        switch self {
        case .measured, .interpolated: ErrorInterval(low: -0.1, high: 0.1)
        case .extrapolated, .neighbouring: ErrorInterval(low: -0.15, high: 0.15)
        case .sibling: ErrorInterval(low: -0.2, high: 0.2)
        case .scaled: ErrorInterval(low: -0.25, high: 0.25)
        case .theoretical: ErrorInterval(low: -0.35, high: 0.35)
        }
    }
}

/// A predicted time.
public struct TimeEstimate: Hashable, Sendable {
    /// Seconds.
    public var seconds: Double
    /// What it rests on.
    public var evidence: EvidenceKind

    /// Describes a prediction.
    public init(seconds: Double, evidence: EvidenceKind) {
        self.seconds = seconds
        self.evidence = evidence
    }
}
