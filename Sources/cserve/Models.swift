// `cserve models`: what this build serves, and what one checkpoint is.

import ArgumentParser
import CServeCore

/// Lists and inspects models.
struct Models: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        abstract: "List supported models, or inspect a checkpoint.",
        subcommands: [List.self], defaultSubcommand: List.self)

    /// The families.
    struct List: ParsableCommand {
        static let configuration: CommandConfiguration = CommandConfiguration(
            abstract: "List the model families that this build serves.")

        func run() {
            Console.say("\(Recipe.builtInModel): the small model inside this program")
        }
    }
}
