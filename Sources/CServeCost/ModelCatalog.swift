// Models by the names that people type, each as the configuration that it was published with.
import CServeCore

/// One model of the catalogue.
public struct ModelEntry: Hashable, Sendable {
    /// The catalogue's short name: `llama-3-8b`.
    public var name: String
    /// Its name on Hugging Face: `meta-llama/Meta-Llama-3-8B`.
    public var id: String
    /// Other names of models of the same shape.
    public var aliases: [String]
    /// Its numbers.
    public var shape: ModelShape
    /// The published number of weights, where there is one.
    public var publishedParameters: Int?
    /// Where the configuration comes from.
    public var provenance: Provenance
}

/// The models that are known without a checkpoint.
public struct ModelCatalog: Hashable, Sendable {
    /// The version of the file's format.
    public static let schema = "cserve-models/1"

    /// The models in the file's order.
    public let entries: [ModelEntry]
    private let places: [String: Int]

    /// Reads a catalogue file.
    /// - Throws: ``CatalogError``, naming file, model and field.
    public init(_ file: CatalogFile) throws(CatalogError) {
        let top = try CatalogFields(file)
        try top.check(known: ["schema", "comment", "models"])
        let schema = try top.requiredString("schema")
        guard schema == Self.schema else {
            throw .unknownSchema(file: file.name, schema: schema, expected: Self.schema)
        }
        var entries: [ModelEntry] = []
        for fields in try top.list("models") { entries.append(try ModelEntry(fields)) }
        self.entries = entries
        var places: [String: Int] = [:]
        // A model's own names go before others' aliases.
        for (index, entry) in entries.enumerated() {
            for name in [entry.name, entry.id] { places[Self.key(name)] = index }
        }
        for (index, entry) in entries.enumerated() {
            for name in entry.aliases where places[Self.key(name)] == nil { places[Self.key(name)] = index }
        }
        self.places = places
    }

    /// The model of a name; nil for a miss. Case, punctuation, the organisation, and what tells an instruct variant do not
    /// count: it has its base's shape.
    public func entry(named name: String) -> ModelEntry? { places[Self.key(name)].map { entries[$0] } }

    /// The model of a name.
    /// - Throws: ``CatalogError/unknownModel(name:near:count:)`` with near names.
    public func require(_ name: String) throws(CatalogError) -> ModelEntry {
        if let entry = entry(named: name) { return entry }
        let plain = name.split(separator: "/").last.map(String.init) ?? name
        throw .unknownModel(
            name: name, near: NameMatch.near(plain, among: entries.map(\.name)), count: entries.count)
    }

    /// Words that tell variants of the same shape.
    private static let variants: Set<String> = [
        "instruct", "chat", "hf", "it", "pt", "base", "meta", "text", "(text)", "thinking",
    ]

    /// Whether a word is a release's year and month, as in `Qwen3-30B-A3B-Instruct-2507`.
    private static func isRelease(_ word: String) -> Bool {
        guard word.count == 4, let number = Int(word) else { return false }
        return (2301...2912).contains(number) && (1...12).contains(number % 100)
    }

    static func key(_ name: String) -> String {
        let own = name.split(separator: "/").last ?? ""
        let words = own.lowercased().split { "-_ ".contains($0) }.map(String.init)
        return NameMatch.key(words.filter { !variants.contains($0) && !isRelease($0) }.joined(separator: "-"))
    }
}

extension ModelEntry {
    init(_ fields: CatalogFields) throws(CatalogError) {
        try fields.check(known: ["name", "id", "aliases", "parameters", "config", "provenance"])
        name = try fields.requiredString("name")
        id = try fields.requiredString("id")
        aliases = try fields.strings("aliases")
        publishedParameters = try fields.int("parameters")
        let source = try fields.requiredFields("provenance")
        try source.check(known: ["source", "date", "estimate"])
        provenance = Provenance(
            source: try source.requiredString("source"), date: try source.requiredString("date"),
            isEstimate: try source.bool("estimate"))
        let config = JSONValue.object(try fields.requiredFields("config").object)
        do {
            shape = try ModelShape.parse(config: config.serialized(), file: "its config")
        } catch {
            throw .badModel(file: fields.file, model: name, reason: error.description)
        }
    }
}
