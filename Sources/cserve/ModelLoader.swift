// The composition root: text side and engine become a model that the server can answer with.

import CServeCore
import CServeEngine
import CServeServer
import CServeText
import Foundation

/// Loads what a recipe names.
struct ModelLoader: Sendable {
    var recipe: Recipe
    var text: TextOptions
    var servedNames: [String]
    /// Whether the KV cache's memory is there before requests are: for servers, which run long.
    var populatesCache: Bool = false
    /// Steps that the engine logs; 0: none.
    var loggedSteps: Int = 0

    /// Why a model could not be loaded.
    enum LoadError: Error, Hashable, CustomStringConvertible {
        case noSuchModel(String)
        case notAFolder(String)
        case unreadableTemplate(file: String, reason: String)

        var description: String {
            switch self {
            case .noSuchModel(let name):
                "There is no checkpoint folder or .gguf file at \(name). Fetch one first (cserve fetch "
                    + "OWNER/NAME), or use --model \(Recipe.builtInModel)."
            case .notAFolder(let path):
                "\(path) is a file. Name the folder that holds config.json and the weights, or a .gguf file."
            case .unreadableTemplate(let file, let reason):
                "The chat template \(file) cannot be read: \(reason)"
            }
        }
    }

    var isBuiltIn: Bool { recipe.model == Recipe.builtInModel }

    /// The names under which the model answers.
    var names: [String] { servedNames.isEmpty ? [Self.plainName(recipe.model)] : servedNames }

    /// A GGUF file's name without folder, part and ending; every other model's name as it is.
    static func plainName(_ model: String) -> String {
        guard isGGUF(model) else { return model }
        let stem: Substring = (model.split(separator: "/").last ?? "").dropLast(".gguf".count)
        return String(stem.replacing(/-\d{5}-of-\d{5}$/, with: ""))
    }

    /// Whether a model is one file.
    static func isGGUF(_ model: String) -> Bool { model.lowercased().hasSuffix(".gguf") }

    /// Refuses what cannot work before anything is opened.
    func check() throws {
        try recipe.checkRunnable()
        try ModelLoader.checkFolder(recipe.model)
    }

    /// Refuses names of models that are neither built in nor a folder nor a GGUF file.
    static func checkFolder(_ name: String) throws {
        guard name != Recipe.builtInModel else { return }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else {
            throw LoadError.noSuchModel(name)
        }
        guard isFolder.boolValue || isGGUF(name) else { throw LoadError.notAFolder(name) }
    }
}
