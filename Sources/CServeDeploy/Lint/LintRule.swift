// Rules as values: what is wrong, why it matters, what to do. Each has a test that plants its fault.

import CServeCore

/// How bad a finding is.
public enum LintSeverity: String, Hashable, Sendable {
    /// It will fail, or break what the plan promises.
    case error
    /// It may be meant so.
    case warning
}

/// A rule.
public struct LintRule: Sendable {
    /// Its name: `drain`.
    public let id: String
    /// How bad it is.
    public let severity: LintSeverity
    /// What it asks for.
    public let what: String
    /// Why.
    public let why: String
    /// What to do where it is broken.
    public let fix: String
    let check: @Sendable (ManifestSet) -> [Place]

    /// A place where it is broken, with the numbers.
    struct Place {
        var object: ManifestObject
        var detail: String
    }

    init(
        _ id: String, _ severity: LintSeverity = .error, what: String, why: String, fix: String,
        check: @escaping @Sendable (ManifestSet) -> [Place]
    ) {
        self.id = id
        self.severity = severity
        self.what = what
        self.why = why
        self.fix = fix
        self.check = check
    }

    /// Every rule.
    public static let all: [LintRule] =
        references + podRules + lifeRules + scaleRules + planRules + secretRules + alertRules + targetRules
}

/// A broken rule.
public struct LintFinding: Hashable, Sendable {
    /// The rule's name.
    public var rule: String
    /// How bad it is.
    public var severity: LintSeverity
    /// The file.
    public var file: String
    /// The object: kind and name.
    public var object: String
    /// What was found, with numbers.
    public var detail: String
    /// What to do.
    public var fix: String

    /// One line for people.
    public var text: String { "\(severity.rawValue) [\(rule)] \(file): \(object): \(detail) \(fix)" }
}

/// Checks rendered files beyond what schemas see.
public enum ManifestLint {
    /// All findings, errors first, then by rule and file.
    /// - Throws: ``LintError``.
    public static func findings(_ files: [RenderedFile]) throws(LintError) -> [LintFinding] {
        let set = try ManifestSet(files)
        var found: [LintFinding] = []
        for rule in LintRule.all {
            for place in rule.check(set) {
                found.append(
                    LintFinding(
                        rule: rule.id, severity: rule.severity, file: place.object.file, object: place.object.title,
                        detail: place.detail, fix: rule.fix))
            }
        }
        return found.filter { $0.severity == .error } + found.filter { $0.severity == .warning }
    }
}

/// Why files cannot be checked.
public enum LintError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No YAML.
    case notYAML(file: String, reason: String)
    /// Nothing in the folder is ours.
    case nothingThere
    /// The plan beside the manifests cannot be read.
    case badPlan(DeploymentPlanError)

    /// What happened, and what to do next.
    public var description: String {
        switch self {
        case .notYAML(let file, let reason): "\(file) is not YAML: \(reason)"
        case .nothingThere:
            "There are no rendered files here. Name a folder that cserve deploy render -o wrote."
        case .badPlan(let error): error.description
        }
    }
}
