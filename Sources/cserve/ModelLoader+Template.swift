// Finding the chat template: the flag's file, the checkpoint's own (a GGUF file carries it), or the built-in model's.

import CServeCore
import CServeEngine
import CServeServer
import CServeText
import Foundation

extension ModelLoader {
    /// The template, or nil for a model that has none.
    func template(_ tokenizer: Tokenizer, _ checkpoint: Checkpoint) throws -> (any ChatRendering)? {
        if let file = text.chatTemplate { return TemplateRenderer(try read(file, tokenizer)) }
        if let metadata = checkpoint.metadata {
            return try ChatTemplate(ggufConfiguration: Tokenizer.configuration(gguf: metadata))
                .map { TemplateRenderer($0) }
        }
        let template: ChatTemplate? =
            try isBuiltIn
            ? ChatTemplate(tokenizerConfiguration: BuiltInModel.tokenizerConfiguration, jinja: nil)
            : ChatTemplate.load(directory: URL(fileURLWithPath: recipe.model))
        return template.map { TemplateRenderer($0) }
    }

    private func read(_ file: String, _ tokenizer: Tokenizer) throws -> ChatTemplate {
        let source: String
        do {
            source = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw LoadError.unreadableTemplate(file: file, reason: error.localizedDescription)
        }
        let named: [(String, NamedToken?)] = [
            ("bos_token", tokenizer.bosToken), ("eos_token", tokenizer.eosToken), ("unk_token", tokenizer.unkToken),
            ("pad_token", tokenizer.padToken),
        ]
        var tokens: [String: String] = [:]
        for (name, token) in named { tokens[name] = token?.text }
        return try ChatTemplate(source: source, specialTokens: tokens, name: file)
    }
}
