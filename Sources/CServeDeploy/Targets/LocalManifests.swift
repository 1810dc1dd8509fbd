// The local destination: the processes of a fleet on one machine, as data and as a script that runs them.

import CServeCore

/// Renders a fleet of processes.
struct LocalManifests {
    let context: DeploymentContext

    init(_ context: DeploymentContext) { self.context = context }

    /// The fleet, the recipe and the script.
    /// - Throws: ``DeployError``.
    func files() throws(DeployError) -> [RenderedFile] {
        guard context.shape.podsPerReplica == 1 else {
            throw .spansNodes(
                what: "a local fleet", ranks: context.shape.ranks, nodeAccelerators: context.shape.podAccelerators,
                advice: "Use --target kubernetes.")
        }
        var processes: [Process] = []
        for index in 0..<context.shape.replicas { processes.append(try process(index)) }
        return [
            RenderedFile(path: "fleet.json", text: fleet(processes).text(.pretty) + "\n"),
            RenderedFile(path: "recipe.json", text: RecipeText.json(recipe)),
            RenderedFile(path: "run.sh", text: script(processes), isExecutable: true),
        ]
    }

    private struct Process {
        var name: String
        var port: Int
        var words: [String]
        var variables: [(String, String)]
    }

    /// Weights lie in the hub's cache or in the folder that the plan names.
    private var recipe: Recipe {
        var recipe: Recipe = context.recipe
        recipe.model =
            context.options.model == nil
            ? context.plan.choice.recipe.model : "models/" + (context.options.model?.folder ?? "")
        return recipe
    }

    private func process(_ index: Int) throws(DeployError) -> Process {
        let port: Int = context.options.port + index
        var words: [String] = try EngineCommand(context: context).words(
            host: "127.0.0.1", port: port, recipe: "recipe.json")
        if context.options.engine == .vllm { words[2] = recipe.model }
        var variables: [(String, String)] = []
        if context.shape.usesGPUs {
            let first: Int = index * context.shape.podAccelerators
            let numbers: [String] = (first..<(first + context.shape.podAccelerators)).map { "\($0)" }
            variables = [("CUDA_DEVICE_ORDER", "PCI_BUS_ID"), ("CUDA_VISIBLE_DEVICES", numbers.joined(separator: ","))]
        }
        variables += CollectiveSettings.variables(context.shape, hasRDMA: false)
        return Process(name: "\(context.name)-\(index)", port: port, words: words, variables: variables)
    }

    private func fleet(_ processes: [Process]) -> JSONValue {
        let probes: EngineCommand.Probes = EngineCommand(context: context).probes
        let list: [JSONValue] = processes.map { process in
            [
                "name": .string(process.name), "port": .integer(process.port), "command": .strings(process.words),
                "environment": .map(process.variables),
            ]
        }
        return [
            "schema": "cserve-fleet/1", "name": .string(context.name),
            "plan_digest": .string("sha256:" + context.digest),
            "option": .string(context.plan.choice.name),
            "rollout": .string(Rollout(context.shape, context.options).sentence),
            "startup_s": .integer(context.shape.times.startupSeconds),
            "drain_s": .integer(context.shape.times.drainSeconds),
            "grace_s": .integer(context.shape.times.graceSeconds),
            "probes": [
                "startup": .string(probes.startup), "ready": .string(probes.ready), "live": .string(probes.live),
            ], "processes": .array(list),
        ]
    }

    /// Starts every process, and ends when one ends or a signal comes: then all get their time to drain.
    private func script(_ processes: [Process]) -> String {
        let starts: [String] = processes.map { process in
            let variables: String = process.variables.map { "\($0.0)=\(ShellText.quoted($0.1)) " }.joined()
            return "\(variables)\(process.words.map(ShellText.quoted).joined(separator: " ")) &\npids=\"$pids $!\""
        }
        let fetch: String =
            context.options.model.map { "cserve fetch \($0) --to \(ShellText.quoted(recipe.model))\n" } ?? ""
        return """
            #!/bin/sh
            \(context.header("Runs the fleet of fleet.json in the foreground; SIGTERM and Ctrl-C drain it."))
            set -eu
            cd "$(dirname "$0")"
            \(fetch)pids=""
            stop() { trap '' INT TERM; kill -TERM $pids 2>/dev/null || true; wait; }
            trap 'stop; exit 0' INT TERM

            \(starts.joined(separator: "\n"))

            # A replica that dies ends the script with its status, and the others with it: a supervisor starts it anew.
            while :; do
                for pid in $pids; do
                    kill -0 "$pid" 2>/dev/null || { status=0; wait "$pid" || status=$?; stop; exit "$status"; }
                done
                sleep 1
            done

            """
    }
}

/// Words for a shell.
enum ShellText {
    /// The word in quotes where a shell would change it.
    static func quoted(_ word: String) -> String {
        let plain: Set<UInt8> = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=@+%".utf8)
        if !word.isEmpty, word.utf8.allSatisfy({ plain.contains($0) }) { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
