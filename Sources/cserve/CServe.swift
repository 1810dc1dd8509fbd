// The command line: one file per command, listed here.

import ArgumentParser
import CServeServer
import Foundation

/// `cserve`.
@main
struct CServe: AsyncParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(
        commandName: "cserve",
        abstract: "Serve open-weight language models with an OpenAI-compatible API.",
        discussion: """
            EXAMPLES
              cserve serve                                   the built-in model on http://127.0.0.1:8000
              cserve serve --model ./Llama-3.2-1B-Instruct   a Hugging Face checkpoint folder
              cserve chat                                    talk to the built-in model in the terminal
              cserve models inspect ./Llama-3.2-1B-Instruct  shape, memory, or why it would be refused
              cserve models --catalog                        models that planning knows by name
              cserve hardware 4xl4                           links and prices of hardware
              cserve plan --model llama-3-8b --workload rag --rate 4 --ttft-p99 1s
                                                             which hardware, how many, which settings, at what cost
              cserve profile --model ./Llama-3.2-1B          measure this machine, for plan and simulate
              cserve deploy render plan.json --target kubernetes -o out
                                                             the files that run a plan
              cserve fetch Qwen/Qwen2.5-0.5B-Instruct        a model from its hub
              cserve bench offline --model ./Llama-3.2-1B    speed beside the machine's limits
              cserve workload describe rag                   what a preset or a trace amounts to
              cserve records                                 what was planned, simulated and measured

            Completion for bash, zsh or fish: cserve --generate-completion-script bash
            """,
        version: ServerVersion.number,
        subcommands: [
            Serve.self, Chat.self, Bench.self, Perplexity.self, Models.self, Hardware.self, WorkloadCommand.self,
            PlanCommand.self, Simulate.self, Compare.self, Profile.self, Calibrate.self, Fidelity.self,
            RecordsCommand.self, Deploy.self, Fetch.self, HealthCommand.self, Version.self,
        ])

    /// Explains vLLM's flags that are not built before ArgumentParser calls them unknown.
    static func main() async {
        if let advice = UnsupportedFlags.advice(for: Array(CommandLine.arguments.dropFirst())) {
            Console.complain("Error: \(advice)")
            Foundation.exit(ExitCode.validationFailure.rawValue)
        }
        await main(nil)
    }
}

/// `cserve version`.
struct Version: ParsableCommand {
    static let configuration: CommandConfiguration = CommandConfiguration(abstract: "Print the version.")

    func run() {
        print(ServerVersion.number)
    }
}
