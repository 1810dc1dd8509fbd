// A model as it is named on the command line: a catalogue name, a checkpoint folder, a config.json, a GGUF file.

import CServeCore
import CServeCost
import CServeEngine
import Foundation

/// A model that is planned for.
struct ModelChoice: Hashable {
    /// What it is called in tables and recipes.
    var name: String
    /// Its numbers.
    var shape: ModelShape
    /// How its checkpoint stores plain weights, where that is known.
    var stored: ElementType?

    /// Finds a model; paths that exist go before names of the catalogue.
    static func find(_ text: String) throws -> ModelChoice {
        if text == Recipe.builtInModel || ModelLoader.isGGUF(text) {
            let checkpoint: Checkpoint = try ModelLoader.checkpoint(text)
            if text != Recipe.builtInModel { InputFiles.current.noteUnread(text) }
            return ModelChoice(name: text, shape: try checkpoint.shape(), stored: checkpoint.storedElement())
        }
        guard let kind = InputFiles.current.kind(text) else {
            let entry: ModelEntry = try Catalogs.models().require(text)
            return ModelChoice(name: entry.name, shape: entry.shape, stored: entry.shape.storedType)
        }
        let path: String = kind == .folder ? text + "/config.json" : text
        guard let bytes = InputFiles.current.contents(path) else { throw CatalogFileError.unreadable(path) }
        let shape: ModelShape = try ModelShape.parse(config: bytes, file: path)
        return ModelChoice(name: text, shape: shape, stored: shape.storedType)
    }
}
