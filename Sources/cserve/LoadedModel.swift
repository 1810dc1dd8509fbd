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

    /// Why a model could not be loaded.
    enum LoadError: Error, Hashable, CustomStringConvertible {
        case noSuchModel(String)
        case notAFolder(String)
        case unreadableTemplate(file: String, reason: String)

        var description: String {
            switch self {
            case .noSuchModel(let name):
                "There is no checkpoint folder at \(name). Download one first (this program makes no connections), or "
                    + "use --model \(Recipe.builtInModel)."
            case .notAFolder(let path): "\(path) is a file. Name the folder that holds config.json and the weights."
            case .unreadableTemplate(let file, let reason):
                "The chat template \(file) cannot be read: \(reason)"
            }
        }
    }

    var isBuiltIn: Bool { recipe.model == Recipe.builtInModel }

    /// The names under which the model answers.
    var names: [String] { servedNames.isEmpty ? [recipe.model] : servedNames }

    /// Refuses what cannot work before anything is opened.
    func check() throws {
        try recipe.checkRunnable()
        guard !isBuiltIn else { return }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: recipe.model, isDirectory: &isFolder) else {
            throw LoadError.noSuchModel(recipe.model)
        }
        guard isFolder.boolValue else { throw LoadError.notAFolder(recipe.model) }
    }
}
