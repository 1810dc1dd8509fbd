// `cserve deploy`, `fetch` and `health` end to end: files on disk, findings and exit codes.

import Foundation
import Testing

@testable import cserve

@Suite("Deployment commands")
struct DeployTests {
    private let plan: String = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/plans/small.json").path
    private let folder: String = NSTemporaryDirectory() + "deploy-\(UUID().uuidString)"
    private let pinned: [String] = [
        "--image", "registry.example/cserve@sha256:" + String(repeating: "0123456789abcdef", count: 4), "--model",
        "o/m@0e9e39f249a16976918f6564b8830bc894c89659",
    ]

    @Test("a plan is rendered twice with the same bytes, linted, and linted again after a change by hand")
    func wholeWay() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["a", "b"] {
            let made = try Command.run(
                ["deploy", "render", plan, "--target", "kubernetes", "-o", folder + "/" + name] + pinned)
            #expect(made.status == 0 && made.output.contains("No findings"), "\(made.output)\(made.errors)")
        }
        let names: [String] = try FileManager.default.subpathsOfDirectory(atPath: folder + "/a").sorted()
        #expect(names.contains("manifests/30-workload.yaml") && names.contains("README.md"))
        for name in names {
            let (one, other) = ["a", "b"].map { FileManager.default.contents(atPath: "\(folder)/\($0)/\(name)") }.pair
            #expect(one == other, "\(name)")
        }
        let path: String = folder + "/a/manifests/30-workload.yaml"
        let text: String = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing("/livez", with: "/readyz").write(toFile: path, atomically: true, encoding: .utf8)
        let found = try Command.run(["deploy", "lint", folder + "/a", "--json"])
        #expect(found.status == 2 && found.output.contains("\"rule\": \"liveness\""), "\(found.output)\(found.errors)")
    }

    @Test("what is not pinned is written, complained of, and status 2")
    func unpinned() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try Command.run(["deploy", "render", plan, "--target", "kubernetes", "-o", folder])
        #expect(made.status == 2 && made.output.contains("[image-digest]") && made.output.contains("[model-revision]"))
        #expect(FileManager.default.fileExists(atPath: folder + "/manifests/00-namespace.yaml"))
    }

    @Test("what cannot be rendered or read is status 1 with its reason")
    func refusals() throws {
        let eks = try Command.run(["deploy", "render", plan, "--target", "eks", "-o", folder] + pinned)
        #expect(eks.status == 1 && eks.errors.contains("--provider aws"), "\(eks.errors)")
        let none = try Command.run(["deploy", "lint", "/nonexistent"])
        #expect(none.status == 1 && none.errors.contains("no rendered files"), "\(none.errors)")
        let option = try Command.run(
            ["deploy", "render", plan, "--target", "local", "--option", "x", "-o", folder])
        #expect(option.status == 1 && option.errors.contains("The plan has no option \"x\""))
        let rules = try Command.run(["deploy", "lint", "--rules"])
        #expect(rules.status == 0 && rules.output.contains("startup-budget"))
    }

    @Test("a hub that is away and a probe without a server say so with their codes")
    func noNetwork() throws {
        // Port 1 of the loopback: nothing listens. Offline, nothing is asked.
        let offline = try Command.run(["fetch", "o/m", "--offline", "--to", folder])
        #expect(offline.status == 5 && offline.errors.contains("is not complete"), "\(offline.errors)")
        let bad = try Command.run(["fetch", "a b"])
        #expect(bad.status == 1 && bad.errors.contains("names no model"))
        let health = try Command.run(["health", "--url", "http://127.0.0.1:1/readyz"])
        #expect(health.status == 1 && health.errors.contains("cannot be reached"), "\(health.errors)")
    }
}

extension [Data?] {
    fileprivate var pair: (Data?, Data?) { (self[0], self[1]) }
}
