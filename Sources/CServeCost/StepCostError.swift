// Why a placement has no predicted times.
import CServeCore

/// Why a step's time cannot be predicted.
public enum StepCostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model cannot be divided so.
    case parallelism(ParallelismError)
    /// The accelerator does not multiply this type.
    case unsupportedArithmetic(ArithmeticType, accelerator: String, supported: [ArithmeticType])
    /// A share that is no share.
    case offloadedShare(Double)
    /// Weights shall stream, but nobody says how fast the host's link is.
    case noHostLink(accelerator: String)
    /// The replica needs more accelerators than the node has, and there is no network.
    case noNetwork(node: String, accelerators: Int, perNode: Int)

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .parallelism(let error): error.description
        case .unsupportedArithmetic(let type, let accelerator, let supported):
            "\(accelerator) does not multiply \(type.rawValue). "
                + "Use one of its types: \(supported.map(\.rawValue).joined(separator: ", "))."
        case .offloadedShare(let share): "An offloaded share of \(share) is not a share. Use 0 to 1."
        case .noHostLink(let accelerator):
            "The catalogue does not say how fast \(accelerator) reads host memory, which streamed weights need. "
                + "Add \"host_link\" in a --hardware file, or keep all weights on the accelerator."
        case .noNetwork(let node, let accelerators, let perNode):
            "\(accelerators) accelerators need several \(node) (\(perNode) each), and it has no network to others. "
                + "Use a smaller --tensor-parallel-size or --pipeline-parallel-size, or add \"network\" in a --hardware file."
        }
    }
}
