// `cserve deploy`: a plan becomes files for a destination, and files are checked.

import ArgumentParser
import CServeCore
import CServeDeploy
import Foundation

/// Deployment.
struct Deploy: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "deploy", abstract: "Render a plan's files for a destination, and check them.",
        subcommands: [DeployRender.self, DeployLint.self])
}

/// `cserve deploy render`.
struct DeployRender: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "render",
        abstract: "Write the files that run a plan: the same plan and flags give the same bytes.",
        discussion: """
            EXAMPLES
              cserve deploy render plan.json --target local -o fleet
              cserve deploy render plan.json --target kubernetes -o out --image registry.example/cserve@sha256:… \\
                --model meta-llama/Llama-3.1-8B-Instruct@0e9e39f249a16976918f6564b8830bc894c89659
              cserve deploy render plan.json --target gke --engine vllm --max-replicas 6 --autoscaler keda -o out …
              cserve deploy render plan.json --target eks --format helm --option "4xl4 tp4" -o out …

            The folder's README.md has the steps from there. docs/deploy.md explains every file.

            EXIT STATUS
              0  written, nothing to complain of    2  written, but the lint found errors    1  cannot be rendered
            """)

    @Argument(help: "A plan (cserve plan -o).", completion: .file())
    var plan: String

    @OptionGroup(title: "Destination") var options: RenderOptions

    @Option(name: [.customShort("o"), .long], help: "The folder to write to.", completion: .directory)
    var output: String

    @Flag(help: "Print what was written and found as JSON.")
    var json: Bool = false

    func run() throws {
        try Failure.explained(asJSON: json) {
            var plan = try DeploymentPlan.read(PlanInputs.read(self.plan), file: self.plan)
            if let option = options.option { plan = try Deployer.choosing(option, in: plan) }
            let rendering: Rendering = try Deployer.render(plan, try options.resolved(plan))
            try RenderFolder.write(rendering.files, to: output)
            let found: [LintFinding] = try ManifestLint.findings(rendering.files)
            Console.say(
                json ? LintText.json(found, rendering).text(.pretty) : LintText.rendered(found, rendering, output))
            if found.contains(where: { $0.severity == .error }) { throw ExitCode(2) }
        }
    }
}

/// `cserve deploy lint`.
struct DeployLint: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "lint",
        abstract: "Check rendered files, also after changes by hand, for what schemas do not see.",
        discussion: "EXIT STATUS\n  0  no errors    2  errors    1  the folder cannot be read")

    @Argument(help: "A folder that cserve deploy render wrote.", completion: .directory)
    var folder: String?

    @Flag(help: "List the rules.")
    var rules: Bool = false

    @Flag(help: "Print the findings as JSON.")
    var json: Bool = false

    func validate() throws {
        if folder == nil, !rules { throw ValidationError("Name the folder that cserve deploy render wrote.") }
    }

    func run() throws {
        try Failure.explained(asJSON: json) {
            guard let folder, !rules else { return Console.say(LintText.rules) }
            let found: [LintFinding] = try ManifestLint.findings(RenderFolder.read(folder))
            Console.say(json ? LintText.json(found, nil).text(.pretty) : LintText.findings(found))
            if found.contains(where: { $0.severity == .error }) { throw ExitCode(2) }
        }
    }
}

/// What lint says.
enum LintText {
    static func findings(_ found: [LintFinding]) -> String {
        let errors: Int = found.count { $0.severity == .error }
        guard !found.isEmpty else { return "No findings (\(LintRule.all.count) rules)." }
        return found.map(\.text).joined(separator: "\n") + "\n\(errors) errors, \(found.count - errors) warnings."
    }

    static func rendered(_ found: [LintFinding], _ rendering: Rendering, _ folder: String) -> String {
        let files: String = rendering.files.map { "  " + $0.path }.joined(separator: "\n")
        let notes: String = rendering.notes.joined(separator: "\n")
        return "Written to \(folder):\n\(files)\n\n\(notes)\n\n\(findings(found))"
    }

    static var rules: String {
        LintRule.all.map { "\($0.id) (\($0.severity.rawValue)): \($0.what) \($0.why) \($0.fix)" }.joined(
            separator: "\n")
    }

    static func json(_ found: [LintFinding], _ rendering: Rendering?) -> JSONValue {
        let list: [JSONValue] = found.map { finding in
            [
                "rule": .string(finding.rule), "severity": .string(finding.severity.rawValue),
                "file": .string(finding.file), "object": .string(finding.object), "detail": .string(finding.detail),
                "fix": .string(finding.fix),
            ]
        }
        var members: [(String, JSONValue)] = [("findings", .array(list))]
        if let rendering {
            members.append(("files", .array(rendering.files.map { .string($0.path) })))
            members.append(("notes", .array(rendering.notes.map { .string($0) })))
        }
        return .object(JSONObject(members))
    }
}

/// Rendered files on disk.
enum RenderFolder {
    /// Writes files; folders are made.
    static func write(_ files: [RenderedFile], to folder: String) throws {
        for file in files {
            let path: String = folder + "/" + file.path
            do {
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            } catch {
                throw PlanOptionError.unwritable(file: path, reason: error.localizedDescription)
            }
            try PlanInputs.write(Array(file.text.utf8), to: path)
            if file.isExecutable { chmod(path, 0o755) }
        }
    }

    /// Reads a folder's files.
    static func read(_ folder: String) throws -> [RenderedFile] {
        let kinds: Set<String> = ["yaml", "yml", "json", "sql"]
        let names: [String] = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return try names.sorted().filter { kinds.contains(($0 as NSString).pathExtension) }.map { name in
            RenderedFile(path: name, text: String(decoding: try PlanInputs.read(folder + "/" + name), as: UTF8.self))
        }
    }
}
