// Everything that the parts of one rendering share: names, labels, digest and numbers.

import CServeCore

/// A plan on its way to a destination.
public struct DeploymentContext: Sendable {
    /// The plan; its choice is what is rendered.
    public let plan: DeploymentPlan
    /// What is asked beside it.
    public let options: DeployOptions
    /// The numbers.
    public let shape: DeploymentShape
    /// The plan's digest: SHA-256 over its JSON with sorted keys, so that a file's layout does not matter.
    public let digest: String
    /// Names every object.
    public let name: String

    /// Prepares a rendering.
    /// - Throws: ``DeployError``.
    public init(_ plan: DeploymentPlan, _ options: DeployOptions) throws(DeployError) {
        self.plan = plan
        self.options = options
        name = try Self.name(plan, options)
        digest = Self.digest(of: plan)
        shape = try DeploymentShape(plan, options)
    }

    /// The digest that every file carries.
    public static func digest(of plan: DeploymentPlan) -> String {
        SHA256.hexadecimal(of: plan.json.serialized(JSONValue.Style(sortKeys: true)))
    }

    /// The digest's beginning, for names.
    var shortDigest: String { String(digest.prefix(12)) }
    /// The name under which the model answers.
    var servedName: String { plan.model.name.split(separator: "/").last.map { String($0) } ?? plan.model.name }
    /// The model's folder in a container.
    var modelFolder: String { "/models/" + (options.model?.folder ?? ResourceName.label(servedName)) }
    /// The settings of one replica: copies are pods of their own.
    var recipe: Recipe {
        var recipe: Recipe = plan.choice.recipe
        recipe.dataParallelSize = 1
        recipe.model = plan.choice.recipe.model == Recipe.builtInModel ? Recipe.builtInModel : modelFolder
        return recipe
    }
    /// Whether weights come from outside the binary.
    var needsWeights: Bool { recipe.model != Recipe.builtInModel }

    private static func name(_ plan: DeploymentPlan, _ options: DeployOptions) throws(DeployError) -> String {
        let derived: String =
            "cserve-" + ResourceName.label(plan.model.name.split(separator: "/").last.map { String($0) } ?? "")
        let name: String = options.name ?? String(derived.prefix(40)).trimmingDashes
        guard ResourceName.isValid(name), name.utf8.count <= 40 else {
            throw .badName(name: name, rule: "it takes 1 to 40 lower-case letters, digits and dashes, a letter first.")
        }
        guard ResourceName.isValid(options.namespace) else {
            throw .badName(name: options.namespace, rule: "a namespace takes lower-case letters, digits and dashes.")
        }
        return name
    }

    /// The lines that open every file.
    func header(_ purpose: String, comment: String = "#") -> String {
        """
        \(comment) \(purpose)
        \(comment) Rendered from plan sha256:\(digest), option "\(plan.choice.name)". Do not edit: render again.

        """
    }
}

/// Names that clusters accept.
enum ResourceName {
    /// Whether a text is a DNS label that begins with a letter (RFC 1035).
    static func isValid(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 63 else { return false }
        return isLetter(first) && last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// A text made such a label: other characters become dashes.
    static func label(_ text: String) -> String {
        let bytes: [UInt8] = text.lowercased().utf8.map { isLetter($0) || isDigit($0) ? $0 : UInt8(ascii: "-") }
        return String(decoding: bytes, as: UTF8.self).trimmingDashes
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension String {
    /// Without dashes at its ends.
    var trimmingDashes: String {
        var text: Substring = self[...]
        while text.hasPrefix("-") { text = text.dropFirst() }
        while text.hasSuffix("-") { text = text.dropLast() }
        return String(text)
    }
}
