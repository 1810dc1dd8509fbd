// Fetching against a hub in memory that breaks on purpose: cut answers, wrong bytes, redirects, busy and closed doors.

import CServeCore
import Foundation
import Synchronization
import Testing

@testable import CServeDeploy

/// A hub in memory. Files of over 100 bytes are large ones, as LFS has them.
private final class FakeHub: HubTransport {
    struct Asked: Hashable {
        var url: String
        var range: String?
        var token: String?
    }

    /// What happens to a request for a file, used up one by one.
    enum Trouble: Hashable {
        case cut(after: Int)
        case wrong
        case busy
        case noRange
    }

    struct State {
        var files: [String: [UInt8]]
        var troubles: [Trouble] = []
        var asked: [Asked] = []
        var token: String?
        var redirects: Bool = false
    }

    static let commit: String = "0e9e39f249a16976918f6564b8830bc894c89659"
    let state: Mutex<State>

    init(_ files: [String: [UInt8]]) { state = Mutex(State(files: files)) }

    var listing: JSONValue {
        let files: [(String, [UInt8])] = state.withLock { $0.files.sorted { $0.key < $1.key } }
        let siblings: [JSONValue] = files.map { name, bytes in
            var members: [(String, JSONValue)] = [("rfilename", .string(name)), ("size", .integer(bytes.count))]
            var sha1 = SHA1()
            sha1.update(Array("blob \(bytes.count)\0".utf8)[...])
            sha1.update(bytes[...])
            members.append(("blobId", .string(sha1.finish())))
            if bytes.count > 100 {
                members.append(
                    ("lfs", ["sha256": .string(SHA256.hexadecimal(of: bytes)), "size": .integer(bytes.count)]))
            }
            return .object(JSONObject(members))
        }
        return ["sha": .string(Self.commit), "siblings": .array(siblings)]
    }

    func get(
        _ url: String, headers: [(name: String, value: String)], head: (HubHead) throws -> Void,
        body: (ArraySlice<UInt8>) throws -> Void
    ) async throws {
        func field(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        let asked = Asked(url: url, range: field("Range"), token: field("Authorization"))
        state.withLock { $0.asked.append(asked) }
        if url.contains("/api/") {
            if let token = state.withLock({ $0.token }), asked.token != "Bearer " + token {
                return try head(HubHead(status: 401))
            }
            guard url.contains("/o/m/") else { return try head(HubHead(status: 404)) }
            try head(HubHead(status: 200))
            return try body(listing.serialized()[...])
        }
        if state.withLock({ $0.redirects }), url.hasPrefix("http://hub/") {
            return try head(
                HubHead(status: 302, headers: [("location", url.replacing("http://hub/", with: "http://cdn/"))]))
        }
        try answer(asked, head, body)
    }

    private func answer(
        _ asked: Asked, _ head: (HubHead) throws -> Void, _ body: (ArraySlice<UInt8>) throws -> Void
    ) throws {
        let name: String = asked.url.components(separatedBy: Self.commit + "/")[1]
        let (bytes, trouble) = state.withLock { state in
            (state.files[name] ?? [], state.troubles.isEmpty ? nil : state.troubles.removeFirst())
        }
        if trouble == .busy { return try head(HubHead(status: 503)) }
        var from: Int = 0
        if let range = asked.range, trouble != .noRange { from = Int(range.dropFirst(6).dropLast()) ?? 0 }
        try head(HubHead(status: from > 0 ? 206 : 200))
        var part: [UInt8] = Array(bytes[from...])
        if trouble == .wrong { part[0] ^= 1 }
        if case .cut(let after)? = trouble {
            try body(part.prefix(after))
            throw HubError.unreachable(url: asked.url, reason: "cut")
        }
        for start in stride(from: 0, to: part.count, by: 1000) { try body(part[start..<min(start + 1000, part.count)]) }
    }
}

@Suite("Fetching from a hub")
struct HubTests {
    private let weights: [UInt8] = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    private var files: [String: [UInt8]] {
        [
            "config.json": Array("{}".utf8), "model.safetensors": weights, "sub/tokenizer.json": Array("[1]".utf8),
            "model.bin": weights,
        ]
    }
    private let folder: String = NSTemporaryDirectory() + "hub-\(UUID().uuidString)"

    private func fetch(_ hub: FakeHub, _ place: HubPlace, token: String? = nil, model: String = "o/m") async throws
        -> String
    {
        let hub = Hub(endpoint: "http://hub/", token: token, transport: hub)
        return try await HubFetch(hub: hub, place: place, workers: 2, pause: { _ in }).run(HubModel(parsing: model))
    }

    private func bytes(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { [UInt8]($0) } }

    @Test("a folder gets the checkpoint's files and says when it is complete")
    func folders() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = try HubModel(parsing: "o/m@main")
        #expect(HubPlace.folder(folder).complete(model) == nil)
        #expect(try await fetch(FakeHub(files), .folder(folder)) == folder)
        #expect(
            bytes(folder + "/model.safetensors") == weights
                && bytes(folder + "/sub/tokenizer.json") == Array("[1]".utf8))
        // The same weights in another format are left out.
        #expect(bytes(folder + "/model.bin") == nil)
        #expect(HubPlace.folder(folder).complete(model) == folder)
        #expect(HubPlace.folder(folder).complete(try HubModel(parsing: "o/m@" + FakeHub.commit)) == folder)
        #expect(HubPlace.folder(folder).complete(try HubModel(parsing: "o/other")) == nil)
        try FileManager.default.removeItem(atPath: folder + "/model.safetensors")
        #expect(HubPlace.folder(folder).complete(model) == nil)
    }

    @Test("a second fetch asks for the listing only")
    func again() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hub = FakeHub(files)
        _ = try await fetch(hub, .folder(folder))
        hub.state.withLock { $0.asked = [] }
        _ = try await fetch(hub, .folder(folder))
        #expect(hub.state.withLock { $0.asked.count } == 1)
    }

    @Test("a cache has blobs by digest, relative links and the revision's commit")
    func caches() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let snapshot: String = try await fetch(FakeHub(files), .cache(folder))
        let repository: String = folder + "/models--o--m"
        #expect(snapshot == repository + "/snapshots/" + FakeHub.commit)
        #expect(bytes(repository + "/refs/main") == Array(FakeHub.commit.utf8))
        // printf '[1]' | git hash-object --stdin
        let link: String = try FileManager.default.destinationOfSymbolicLink(atPath: snapshot + "/sub/tokenizer.json")
        #expect(link == "../../../blobs/bace2a0be1726eefc636c304f3af9621039df6fa")
        #expect(bytes(snapshot + "/model.safetensors") == weights)
        #expect(bytes(repository + "/blobs/" + SHA256.hexadecimal(of: weights)) == weights)
        #expect(HubPlace.cache(folder).complete(try HubModel(parsing: "o/m")) == snapshot)
        try FileManager.default.removeItem(atPath: repository + "/blobs/" + SHA256.hexadecimal(of: weights))
        #expect(HubPlace.cache(folder).complete(try HubModel(parsing: "o/m")) == nil)
    }

    @Test("an answer that is cut goes on where it stopped")
    func resumes() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hub = FakeHub(["model.safetensors": weights])
        hub.state.withLock { $0.troubles = [.cut(after: 1500), .busy, .cut(after: 700)] }
        _ = try await fetch(hub, .folder(folder))
        #expect(bytes(folder + "/model.safetensors") == weights)
        #expect(hub.state.withLock { $0.asked.compactMap(\.range) } == ["bytes=1500-", "bytes=1500-", "bytes=2200-"])
    }

    @Test("a hub without ranges is read from the beginning")
    func noRanges() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hub = FakeHub(["model.safetensors": weights])
        hub.state.withLock { $0.troubles = [.cut(after: 1500), .noRange] }
        _ = try await fetch(hub, .folder(folder))
        #expect(bytes(folder + "/model.safetensors") == weights)
    }

    @Test("damaged bytes are fetched once more, and refused if they stay so")
    func damage() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hub = FakeHub(["model.safetensors": weights])
        hub.state.withLock { $0.troubles = [.wrong] }
        _ = try await fetch(hub, .folder(folder))
        #expect(bytes(folder + "/model.safetensors") == weights)
        try FileManager.default.removeItem(atPath: folder)
        hub.state.withLock { $0.troubles = [.wrong, .wrong] }
        await #expect { try await fetch(hub, .folder(folder)) } throws: { error in
            guard case HubError.damaged("model.safetensors", _, _) = error else { return false }
            return true
        }
        #expect(bytes(folder + "/model.safetensors") == nil)
    }

    @Test("redirects are followed, and the token stays with the hub")
    func redirects() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hub = FakeHub(["model.safetensors": weights])
        hub.state.withLock { ($0.redirects, $0.token) = (true, "t") }
        _ = try await fetch(hub, .folder(folder), token: "t")
        let asked: [FakeHub.Asked] = hub.state.withLock { $0.asked }
        #expect(asked.filter { $0.url.hasPrefix("http://hub/") }.allSatisfy { $0.token == "Bearer t" })
        #expect(asked.contains { $0.url.hasPrefix("http://cdn/") })
        #expect(asked.filter { $0.url.hasPrefix("http://cdn/") }.allSatisfy { $0.token == nil })
    }

    @Test("closed doors, missing models and a hub that stays away are told apart")
    func refusals() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let hub = FakeHub(files)
        await #expect(throws: HubError.notFound(model: "o/x@main")) {
            try await fetch(hub, .folder(folder), model: "o/x")
        }
        hub.state.withLock { $0.token = "t" }
        await #expect(throws: HubError.forbidden(model: "o/m@main", hasToken: false)) {
            try await fetch(hub, .folder(folder))
        }
        await #expect(throws: HubError.forbidden(model: "o/m@main", hasToken: true)) {
            try await fetch(hub, .folder(folder), token: "wrong")
        }
        let away = FakeHub(["model.safetensors": weights])
        away.state.withLock { $0.troubles = Array(repeating: .busy, count: 5) }
        await #expect { try await fetch(away, .folder(folder)) } throws: { error in
            guard case HubError.status(_, 503) = error else { return false }
            return true
        }
    }

    @Test("a listing that leads out of the folder, or is none, is refused")
    func listings() throws {
        func listing(_ name: String) -> [UInt8] {
            Array(
                "{\"sha\": \"\(FakeHub.commit)\", \"siblings\": [{\"rfilename\": \"\(name)\", \"size\": 1, \"blobId\": \"\(FakeHub.commit)\"}]}"
                    .utf8)
        }
        #expect(try HubListing(parsing: listing("a/b.json"), url: "u").files.first?.path == "a/b.json")
        for name in ["../a", "/etc/passwd", "a//b", "a/../../b", "a/."] {
            #expect(throws: HubError.unsafePath(name)) { try HubListing(parsing: listing(name), url: "u") }
        }
        #expect(throws: HubError.badListing(url: "u", reason: "it lacks \"sha\" or \"siblings\"")) {
            try HubListing(parsing: Array("{}".utf8), url: "u")
        }
    }

    @Test("models are named by owner, name and revision")
    func names() throws {
        let model = try HubModel(parsing: "meta-llama/Llama-3.1-8B@" + FakeHub.commit)
        #expect(model.isPinned && model.folder == "Llama-3.1-8B-0e9e39f249a1")
        #expect(try HubModel(parsing: "gpt2").revision == "main")
        for bad in ["", "a/b/c", "../x", "a/..", "-a/b", "a b", "a/b@../x", "a/b@", "a--b/c"] {
            #expect(throws: DeployError.badModel(bad)) { try HubModel(parsing: bad) }
        }
    }

    @Test("patterns choose files as fnmatch does")
    func patterns() {
        let cases: [(String, String, Bool)] = [
            ("*.json", "config.json", true), ("*.json", "a/b.json", true), ("*.json", "a.jsonl", false),
            ("a?c", "abc", true),
            ("*", "", true), ("original/*", "original/x.pth", true), ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXcYYb", false),
        ]
        for (pattern, text, matches) in cases {
            #expect(HubSelection.matches(pattern, text) == matches, "\(pattern) \(text)")
        }
    }

    @Test("SHA-1 gives FIPS 180-4's example digests")
    func sha1() {
        // NIST's examples: "abc", and the message of 448 bits; git's id of the empty blob.
        func digest(_ text: String) -> String {
            var sha1 = SHA1()
            sha1.update(Array(text.utf8)[...])
            return sha1.finish()
        }
        #expect(digest("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(digest("blob 0\0") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    }
}
