// Where checkpoints keep their templates: chat_template.jinja, tokenizer_config.json, additional_chat_templates/.

import CServeCore
import Foundation

extension ChatTemplate {
    /// Reads the templates beside a checkpoint; nil if there are none.
    ///
    /// `chat_template.jinja` wins over `tokenizer_config.json`; `additional_chat_templates/*.jinja` add named ones.
    /// - Throws: ``JinjaError`` or ``ChatTemplateError``.
    public static func load(directory: URL) throws -> ChatTemplate? {
        let configuration = try json("tokenizer_config.json", in: directory)
        var sources = try sources(in: configuration)
        if let text = try text("chat_template.jinja", in: directory) {
            sources["default"] = (name: "chat_template.jinja", text: text)
        }
        let folder = directory.appending(path: "additional_chat_templates")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for file in files.sorted() where file.hasSuffix(".jinja") {
            guard let text = try text(file, in: folder) else { continue }
            sources[String(file.dropLast(".jinja".count))] = (name: file, text: text)
        }
        let tokenMap = try json("special_tokens_map.json", in: directory)
        return try make(sources, tokens: specialTokens(tokenMap).merging(specialTokens(configuration)) { $1 })
    }

    /// Reads a template from a `tokenizer_config.json` in memory and, where there is one, a `chat_template.jinja`.
    ///
    /// - Throws: ``ChatTemplateError/missing(model:)`` if neither has a template.
    public init(tokenizerConfiguration: Data, jinja: String?) throws {
        let configuration = try ChatTemplate.parsed([UInt8](tokenizerConfiguration), name: "tokenizer_config.json")
        var sources = try ChatTemplate.sources(in: configuration)
        if let jinja { sources["default"] = (name: "chat_template.jinja", text: jinja) }
        guard let template = try ChatTemplate.make(sources, tokens: ChatTemplate.specialTokens(configuration)) else {
            throw ChatTemplateError.missing(model: "the model")
        }
        self = template
    }

    /// The templates in a tokenizer's configuration that came out of a GGUF file; nil if there are none.
    /// - Throws: ``JinjaError`` or ``ChatTemplateError``.
    public init?(ggufConfiguration: Data) throws {
        let configuration = try ChatTemplate.parsed([UInt8](ggufConfiguration), name: "tokenizer.chat_template")
        let tokens = ChatTemplate.specialTokens(configuration)
        guard let template = try ChatTemplate.make(ChatTemplate.sources(in: configuration), tokens: tokens) else {
            return nil
        }
        self = template
    }

    private static func make(
        _ sources: [String: (name: String, text: String)], tokens: [String: String]
    ) throws -> ChatTemplate? {
        guard !sources.isEmpty else { return nil }
        return ChatTemplate(
            variants: try sources.mapValues { try Variant(name: $0.name, source: $0.text) }, specialTokens: tokens)
    }

    /// The templates in a tokenizer's configuration: one string, or a list of names and templates.
    private static func sources(in configuration: JSONValue?) throws -> [String: (name: String, text: String)] {
        let file = "tokenizer_config.json"
        switch configuration?["chat_template"] {
        case nil, .null: return [:]
        case .string(let text): return ["default": (name: file, text: text)]
        case .array(let entries):
            var result: [String: (name: String, text: String)] = [:]
            for entry in entries {
                guard let name = entry["name"]?.stringValue, let text = entry["template"]?.stringValue else {
                    throw ChatTemplateError.malformedFile(
                        name: file, problem: "an entry of chat_template lacks 'name' or 'template'")
                }
                result[name] = (name: "\(file): \(name)", text: text)
            }
            return result
        case .some(let other):
            throw ChatTemplateError.malformedFile(
                name: file, problem: "chat_template is of type \(other.kind), not a string or a list")
        }
    }

    /// `bos_token` and its kin, written as strings or as objects with `content`.
    private static func specialTokens(_ json: JSONValue?) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in json?.objectValue?.members ?? [] where key.hasSuffix("_token") {
            if let text = value.stringValue ?? value["content"]?.stringValue { result[key] = text }
        }
        return result
    }

    private static func bytes(_ name: String, in directory: URL) throws -> [UInt8]? {
        let url = directory.appending(path: name)
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return [UInt8](try Data(contentsOf: url))
        } catch {
            throw ChatTemplateError.malformedFile(name: name, problem: "\(error)")
        }
    }

    private static func text(_ name: String, in directory: URL) throws -> String? {
        guard let bytes = try bytes(name, in: directory) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ChatTemplateError.malformedFile(name: name, problem: "it is not UTF-8")
        }
        return text
    }

    private static func json(_ name: String, in directory: URL) throws -> JSONValue? {
        try bytes(name, in: directory).map { try parsed($0, name: name) }
    }

    private static func parsed(_ bytes: [UInt8], name: String) throws -> JSONValue {
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw ChatTemplateError.malformedFile(name: name, problem: error.description)
        }
    }
}
