// Why a plan cannot be rendered for a destination, with what would help.

/// What a user can do about a plan that does not fit a destination.
public enum DeployError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The plan's machines are another provider's.
    case wrongProvider(target: String, provider: String, instance: String)
    /// The target does not name this accelerator.
    case noLabel(target: String, accelerator: String, label: String)
    /// A replica spans nodes, where that cannot be.
    case spansNodes(what: String, ranks: Int, nodeAccelerators: Int, advice: String)
    /// A tensor-parallel group spans nodes.
    case tensorAcrossNodes(ranks: Int, nodeAccelerators: Int)
    /// A recipe field that vLLM does not have.
    case notInVLLM(field: String, value: String, advice: String)
    /// No instance family of Snowflake's has the accelerators.
    case noFamily(accelerator: String, ranks: Int, known: [String])
    /// A name that the target refuses.
    case badName(name: String, rule: String)
    /// A model that is not `REPOSITORY@REVISION`.
    case badModel(String)
    /// An image cache without an image.
    case noModelImage
    /// Fewer replicas at most than the plan has.
    case tooFewReplicas(most: Int, planned: Int)
    /// A number that must be larger.
    case notPositive(name: String, value: Int)
    /// A format that only manifests have.
    case noFormat(format: String, target: String)
    /// An option that is not in the plan.
    case unknownOption(String, known: [String])

    /// What happened, with its numbers, and what to do next.
    public var description: String {
        switch self {
        case .wrongProvider(let target, let provider, let instance):
            "The plan's machines are \(provider) \(instance), and --target \(target) has none of them. Plan with "
                + "--provider \(target == "gke" ? "gcp" : "aws"), or render for the cluster where they are."
        case .noLabel(let target, let accelerator, let label):
            "The plan has no label \(label) for \(accelerator), so --target \(target) cannot find its nodes. Add it under "
                + "labels in a hardware file (--hardware) and plan again."
        case .spansNodes(let what, let ranks, let there, let advice):
            "One replica takes \(ranks) accelerators and a node has \(there), but \(what) keeps a replica on one node. "
                + advice
        case .tensorAcrossNodes(let ranks, let there):
            "\(ranks) tensor-parallel ranks do not fit a node of \(there) accelerators. Plan with a smaller --tp and "
                + "more stages (--pp)."
        case .notInVLLM(let field, let value, let advice):
            "vLLM has no \(field) \(value). \(advice)"
        case .noFamily(let accelerator, let ranks, let known):
            "Snowflake has no instance family with \(ranks) \(accelerator). It has "
                + known.joined(separator: ", ") + ": plan with one of them (--gpus)."
        default: inputDescription
        }
    }

    private var inputDescription: String {
        switch self {
        case .badName(let name, let rule): "\"\(name)\" cannot be a name here: \(rule) Give another with --name."
        case .badModel(let text):
            "\"\(text)\" names no model. Write OWNER/NAME@REVISION, for example "
                + "meta-llama/Llama-3.1-8B-Instruct@0e9e39f249a16976918f6564b8830bc894c89659."
        case .noModelImage:
            "--model-cache image needs the weights' image: --model-image REGISTRY/NAME@sha256:DIGEST."
        case .tooFewReplicas(let most, let planned):
            "--max-replicas is \(most), but the plan needs \(planned). Give at least that, or leave it out."
        case .notPositive(let name, let value): "\(name) is \(value). Give at least 1."
        case .noFormat(let format, let target):
            "--format \(format) packs Kubernetes manifests, and --target \(target) has none. Leave it out."
        case .unknownOption(let name, let known):
            "The plan has no option \"\(name)\". It has " + known.map { "\"\($0)\"" }.joined(separator: ", ") + "."
        default: ""
        }
    }
}
