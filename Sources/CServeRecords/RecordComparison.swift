// Two records side by side: what went in differently, then what came out.

import CServeCore

/// How two runs differ.
public struct RecordComparison: Hashable, Sendable {
    /// Arguments, seed, versions, machine and input documents that differ.
    public var inputs: [JSONDifference]
    /// Figures and output documents that differ.
    public var results: [JSONDifference]

    /// Whether the same came out.
    public var isEqual: Bool { results.isEmpty }

    /// Members of documents and results that say when they were made, not what they say.
    public static let dates: Set<String> = [
        "plan.json:provenance.date", "plan.json:provenance.generator", "bench.json:began", "bench.json:generator",
        "began",
        "generator",
    ]

    /// Compares two records of a book, or of two books.
    ///
    /// Documents that both books hold and that are JSON are compared member by member, others by digest.
    /// - Parameters:
    ///   - first: The first run.
    ///   - second: The second run.
    ///   - bytes: A document's bytes by digest; nil where they are not held.
    public init(_ first: Record, _ second: Record, bytes: (String) throws -> [UInt8]?) rethrows {
        inputs = Self.named(first, second)
        inputs += try Self.documents(first, second, .input, bytes)
        results = JSONDifference.between(Self.figures(first), Self.figures(second), ignoring: Self.dates)
        results += try Self.documents(first, second, .output, bytes)
    }

    private static func figures(_ record: Record) -> JSONValue { record.results["results"] ?? record.results }

    /// Everything that can be told in a word.
    private static func named(_ first: Record, _ second: Record) -> [JSONDifference] {
        func facts(_ record: Record) -> JSONValue {
            var members: [(String, JSONValue)] = [
                ("kind", .string(record.kind.rawValue)), ("model", record.model.map { .string($0) } ?? .null),
                ("arguments", .object(Self.flags(record.arguments))),
                ("seed", record.seed.map { .bigInteger("\($0)") } ?? .null), ("version", .string(record.version)),
                ("build", .string(record.build)),
            ]
            if let machine = try? JSONValue(encoding: record.machine) { members.append(("machine", machine)) }
            return .object(JSONObject(members))
        }
        return JSONDifference.between(facts(first), facts(second))
    }

    /// A command line by flag, so that one more does not shift all others.
    private static func flags(_ arguments: [String]) -> JSONObject {
        var found: JSONObject = JSONObject()
        var flag: String = "command"
        for argument in arguments {
            if argument.hasPrefix("-"), Double(argument) == nil {
                let parts: [Substring] = argument.split(separator: "=", maxSplits: 1)
                flag = parts.first.map(String.init) ?? argument
                let value: String? = parts.count > 1 ? String(parts[1]) : nil
                found[flag] = .string([found[flag]?.stringValue, value].compactMap { $0 }.joined(separator: " "))
            } else {
                let words: [String?] = [found[flag]?.stringValue, argument]
                found[flag] = .string(words.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " "))
            }
        }
        return found
    }

    private static func documents(
        _ first: Record, _ second: Record, _ role: DocumentRole, _ bytes: (String) throws -> [UInt8]?
    ) rethrows -> [JSONDifference] {
        let (a, b): ([String: RecordDocument], [String: RecordDocument]) = (named(first, role), named(second, role))
        var found: [JSONDifference] = []
        for name in Set(a.keys).union(b.keys).sorted() where a[name]?.digest != b[name]?.digest {
            let (left, right): (JSONValue?, JSONValue?) = (try json(a[name], bytes), try json(b[name], bytes))
            if let left, let right {
                found += JSONDifference.between(left, right).map { difference in
                    var named: JSONDifference = difference
                    named.path = name + ":" + difference.path
                    return named
                }.filter { !dates.contains($0.path) }
            } else {
                found.append(JSONDifference(path: name, first: digest(a[name]), second: digest(b[name])))
            }
        }
        return found
    }

    private static func named(_ record: Record, _ role: DocumentRole) -> [String: RecordDocument] {
        Dictionary(record.documents.filter { $0.role == role }.map { ($0.name, $0) }) { $1 }
    }

    private static func digest(_ document: RecordDocument?) -> JSONValue? {
        document.map { .string($0.digest.map { String($0.prefix(12)) } ?? "\($0.size) bytes") }
    }

    private static func json(
        _ document: RecordDocument?, _ bytes: (String) throws -> [UInt8]?
    ) rethrows -> JSONValue? {
        guard let digest = document?.digest, let held = try bytes(digest) else { return nil }
        return try? JSONValue(parsing: held)
    }
}
