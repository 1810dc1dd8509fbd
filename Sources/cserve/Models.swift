// `cserve models`: what this build serves, and what one checkpoint is.

import ArgumentParser
import CServeCore
import CServeCost
import CServeEngine

/// Lists and inspects models.
struct Models: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "List supported models, or inspect a checkpoint.", subcommands: [List.self, Inspect.self],
        defaultSubcommand: List.self)

    /// The families.
    struct List: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "List the model families that this build serves, or the models that planning knows.")

        @Flag(help: "List the models that planning knows by name, or one of them in full.")
        var catalog: Bool = false

        @Argument(help: "A model as people type it (llama-3-8b), a checkpoint's folder, or a config.json file.")
        var name: String?

        @Flag(help: "Print one JSON object (with --catalog).")
        var json: Bool = false

        func validate() throws {
            if let name, !catalog {
                throw ValidationError("Use `cserve models --catalog \(name)` or `cserve models inspect \(name)`.")
            }
        }

        func run() throws {
            try Failure.explained(asJSON: json) {
                guard catalog else { return families() }
                let models: ModelCatalog = try Catalogs.models()
                guard let name else {
                    let all: [JSONValue] = models.entries.map {
                        ModelCatalogReport.object(ModelCatalogReport.facts($0))
                    }
                    let object: JSONObject = JSONObject([("models", .array(all))])
                    return Console.say(json ? JSONValue.object(object).text(.pretty) : ModelCatalogReport.list(models))
                }
                let facts: [(name: String, value: JSONValue)] =
                    try models.entry(named: name).map {
                        ModelCatalogReport.facts($0)
                    } ?? ModelCatalogReport.facts(try ModelChoice.find(name).shape)
                Console.say(
                    json ? ModelCatalogReport.object(facts).text(.pretty) : ModelCatalogReport.lines(facts))
            }
        }

        private func families() {
            Console.say("Built in: \(Recipe.builtInModel)")
            Console.say("Checkpoint folders in Hugging Face's format, by config.json's architectures:")
            for family in ModelFamily.served {
                Console.say("  \(family.rawValue): \(family.architectures.joined(separator: ", "))")
            }
            Console.say("GGUF files of the same families, by general.architecture:")
            Console.say("  \(Checkpoint.ggufArchitectures.joined(separator: ", "))")
        }
    }

    /// One checkpoint.
    struct Inspect: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "Print a checkpoint's shape and memory, or why it would be refused.")

        @Argument(help: "The checkpoint's folder, a .gguf file, or cserve-demo.", completion: .directory)
        var folder: String

        @Flag(help: "Print one JSON object.")
        var json: Bool = false

        func run() throws {
            try Failure.explained(asJSON: json) {
                try ModelLoader.checkFolder(folder)
                let checkpoint: Checkpoint = try ModelLoader.checkpoint(folder)
                try report(try checkpoint.shape(), checkpoint)
                try checkpoint.check()
            }
        }

        private func report(_ shape: ModelShape, _ checkpoint: Checkpoint) throws {
            var facts: [(name: String, value: JSONValue)] = ModelReport.facts(shape)
            facts.append(("stored_type", .string(checkpoint.storedElement().rawValue)))
            if let method = checkpoint.quantization { facts.append(("quantization", .string(method))) }
            facts.append(("tensors", .integer(checkpoint.tensors.count)))
            Console.say(json ? ModelCatalogReport.object(facts).text(.pretty) : ModelCatalogReport.lines(facts))
        }
    }
}
