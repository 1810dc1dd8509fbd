// `cserve models`: what this build serves, and what one checkpoint is.

import ArgumentParser
import CServeCore
import CServeEngine

/// Lists and inspects models.
struct Models: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "List supported models, or inspect a checkpoint.", subcommands: [List.self, Inspect.self],
        defaultSubcommand: List.self)

    /// The families.
    struct List: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "List the model families that this build serves.")

        func run() {
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
            guard !json else {
                return Console.say(JSONValue.object(JSONObject(facts.map { ($0.name, $0.value) })).text(.pretty))
            }
            for fact in facts {
                var value: String = fact.value.stringValue ?? fact.value.text()
                if fact.name.contains("bytes"), let bytes = fact.value.intValue { value += " (\(ByteCount(bytes)))" }
                Console.say("\(fact.name.replacing("_", with: " ")): \(value)")
            }
        }
    }
}
