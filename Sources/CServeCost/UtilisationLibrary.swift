// The measured utilisation curves of accelerators, as shipped or as fitted by `cserve calibrate`.
import CServeCore

/// Measured utilisations of operators on accelerators.
public struct UtilisationLibrary: Sendable {
    /// Nothing measured: every time comes from data sheets and the physical model.
    public static let none = UtilisationLibrary(accelerators: [], curves: [], collectives: [])

    /// A measured accelerator.
    public struct Accelerator: Hashable, Sendable {
        /// The name that its curves carry.
        public var name: String
        /// Its data sheet.
        public var spec: AcceleratorSpec
        /// How the measured machine's accelerators reach each other, for its collectives.
        public var interconnect: Interconnect?

        /// Names an accelerator.
        public init(name: String, spec: AcceleratorSpec, interconnect: Interconnect? = nil) {
            self.name = name
            self.spec = spec
            self.interconnect = interconnect
        }
    }

    /// The measured accelerators.
    public let accelerators: [Accelerator]
    /// Their operators.
    public let curves: [KernelCurve]
    /// Their collectives.
    public let collectives: [CollectiveCurve]

    /// Gathers curves.
    public init(accelerators: [Accelerator], curves: [KernelCurve], collectives: [CollectiveCurve]) {
        self.accelerators = accelerators
        self.curves = curves
        self.collectives = collectives
    }

    /// A measured curve for an accelerator and how near it stands.
    struct Match {
        var curve: KernelCurve
        var nearness: EvidenceKind
    }

    /// The curve of this accelerator, or of its nearest sibling: the same compute capability, then the same architecture.
    func curve(_ kind: CurveKind, for spec: AcceleratorSpec) -> Match? {
        var best: (match: Match, rank: Int)?
        for curve in curves where curve.kind == kind {
            guard let owner = accelerators.first(where: { $0.name == curve.accelerator }),
                let rank = UtilisationLibrary.rank(owner.spec, spec)
            else { continue }
            if best == nil || rank < best?.rank ?? .max {
                best = (Match(curve: curve, nearness: rank == 0 ? .measured : .sibling), rank)
            }
        }
        return best?.match
    }

    /// How near two accelerators stand: 0 the same, 1 the same chip family, 2 the same architecture, nil strangers.
    static func rank(_ left: AcceleratorSpec, _ right: AcceleratorSpec) -> Int? {
        guard left.kind == right.kind, left.architecture == right.architecture else { return nil }
        if left.computeCapability != right.computeCapability { return 2 }
        let sameBandwidth: Bool = abs(left.memoryBandwidth / right.memoryBandwidth - 1) < 0.03
        return left.processors == right.processors && sameBandwidth ? 0 : 1
    }

    /// The measured collective of an accelerator with the same kind of links.
    func collective(_ way: String, ranks: Int, for spec: AcceleratorSpec, links: Interconnect.Kind) -> CollectiveCurve?
    {
        for owner in accelerators {
            guard owner.interconnect?.kind == links, UtilisationLibrary.rank(owner.spec, spec) == 0 else { continue }
            let key = CollectiveCurve.Key(accelerator: owner.name, way: way, ranks: ranks)
            if let curve = collectives.first(where: { $0.key == key }) { return curve }
        }
        return nil
    }

    /// The accelerators that were measured at all, for messages.
    public var isEmpty: Bool { curves.isEmpty && collectives.isEmpty }
}
