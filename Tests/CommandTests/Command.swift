// Runs the built binary: command line in, text and exit code out.

import Foundation
import Synchronization

/// A finished command.
struct CommandResult: Sendable {
    var status: Int32
    var output: String
    var errors: String
}

/// The binary under test.
enum Command {
    /// The binary that was built beside this test bundle.
    static let binary: URL = {
        var folder: URL = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        while folder.path != "/" {
            let candidate: URL = folder.appendingPathComponent("cserve")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        return URL(fileURLWithPath: FileManager.default.currentDirectoryPath + "/.build/debug/cserve")
    }()

    /// Runs to the end.
    static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
        -> CommandResult
    {
        let running: RunningCommand = try RunningCommand(arguments, input: input, environment: environment)
        return running.wait()
    }
}

/// A command that is still running. Used by one test.
final class RunningCommand: @unchecked Sendable {
    private let process: Process = Process()
    private let output: Mutex<(out: Data, err: Data)> = Mutex((Data(), Data()))
    private let readers: DispatchGroup = DispatchGroup()

    init(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], binary: URL = Command.binary
    ) throws {
        process.executableURL = binary
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/tmp", "CSERVE_RECORDS": "off"].merging(environment) {
            $1
        }
        let (out, err, stdin): (Pipe, Pipe, Pipe) = (Pipe(), Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        process.standardInput = stdin
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        collect(out.fileHandleForReading) { $0.out.append($1) }
        collect(err.fileHandleForReading) { $0.err.append($1) }
    }

    private func collect(
        _ handle: FileHandle, _ keep: @escaping @Sendable (inout (out: Data, err: Data), Data) -> Void
    ) {
        readers.enter()
        Thread.detachNewThread {
            while true {
                let data: Data = handle.availableData
                if data.isEmpty { break }
                self.output.withLock { keep(&$0, data) }
            }
            self.readers.leave()
        }
    }

    /// What standard output has said so far.
    var said: String { output.withLock { String(decoding: $0.out, as: UTF8.self) } }

    /// Waits until standard output has a line that begins so, and returns the rest of it; nil if the command ends first.
    func line(_ prefix: String) async throws -> String? {
        for _ in 0..<12_000 {
            let lines: [Substring] = said.split(separator: "\n")
            if let line = lines.first(where: { $0.hasPrefix(prefix) }) { return String(line.dropFirst(prefix.count)) }
            if !process.isRunning { return nil }
            try await Task.sleep(for: .milliseconds(10))
        }
        return nil
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    func wait() -> CommandResult {
        process.waitUntilExit()
        readers.wait()
        return output.withLock { output in
            CommandResult(
                status: process.terminationStatus, output: String(decoding: output.out, as: UTF8.self),
                errors: String(decoding: output.err, as: UTF8.self))
        }
    }
}
