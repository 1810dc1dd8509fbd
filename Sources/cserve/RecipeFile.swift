// Reads recipe files: CServe's public names, every one of which is obeyed or refused with a reason.

import CServeCore
import Foundation
import Yams

/// Why a recipe file cannot be used.
enum RecipeFileError: Error, Hashable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case notAMapping(file: String, found: String)
    case unknownKey(file: String, key: String, nearest: String?)
    case notBuilt(file: String, key: String, value: String, instead: String)
    case wrongType(file: String, key: String, value: String)

    var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read as a recipe: \(reason)"
        case .notAMapping(let file, let found):
            "\(file) must hold names and values (such as max_num_seqs: 64), but holds \(found)."
        case .unknownKey(let file, let key, let nearest):
            "\(file): \(key) is not a recipe field." + (nearest.map { " Did you mean \($0)?" } ?? "")
        case .notBuilt(let file, let key, let value, let instead):
            "\(file): \(key) is \(value), which this build cannot do yet. \(instead)"
        case .wrongType(let file, let key, let value): "\(file): \(key) cannot be \(value)."
        }
    }
}

/// Reads recipes.
enum RecipeFile {
    /// Reads a JSON or YAML file; absent fields keep their defaults.
    static func read(_ file: String) throws -> Recipe {
        let text: String
        do {
            text = String(decoding: try InputFiles.current.bytes(file), as: UTF8.self)
        } catch {
            throw RecipeFileError.unreadable(file: file, reason: "\(error.localizedDescription)")
        }
        return try parse(text, file: file)
    }

    static func parse(_ text: String, file: String) throws -> Recipe {
        var fields: JSONObject = try members(of: text, file: file)
        // Recipes of CServe's API may come wrapped: {"recipe": {...}, "additional_properties": {...}}.
        for wrapper in ["recipe", "additional_properties"] {
            guard case .object(let inner)? = fields[wrapper] else { continue }
            fields[wrapper] = nil
            for member in inner.members { fields[member.key] = member.value }
        }
        // Recipes name the tokenizer even where it is the model's own.
        if let tokenizer = fields["tokenizer"], tokenizer == fields["model"] { fields["tokenizer"] = nil }
        for member in fields.members {
            try check(member.key, member.value, file)
            if ForeignRecipeField.all[member.key] != nil { fields[member.key] = nil }
        }
        return try overlay(fields, file: file)
    }

    private static func members(of text: String, file: String) throws -> JSONObject {
        let value: JSONValue
        do {
            value = file.hasSuffix(".json") ? try JSONValue(parsing: text) : try json(try Yams.load(yaml: text))
        } catch {
            throw RecipeFileError.unreadable(file: file, reason: "\(error)")
        }
        guard case .object(let members) = value else {
            throw RecipeFileError.notAMapping(file: file, found: value.kind)
        }
        return members
    }

    private static func check(_ key: String, _ value: JSONValue, _ file: String) throws {
        if let foreign = ForeignRecipeField.all[key] {
            guard value.isNull || foreign.harmless.contains(value) else {
                throw RecipeFileError.notBuilt(file: file, key: key, value: value.text(), instead: foreign.instead)
            }
            return
        }
        let known: [String] = Recipe.CodingKeys.allCases.map(\.rawValue)
        guard known.contains(key) else {
            throw RecipeFileError.unknownKey(file: file, key: key, nearest: Spelling.nearest(to: key, among: known))
        }
    }

    /// Lays the file's fields over the default recipe.
    private static func overlay(_ fields: JSONObject, file: String) throws -> Recipe {
        var recipe: Recipe = Recipe()
        for member in fields.members where !member.value.isNull {
            guard let key = Recipe.CodingKeys(rawValue: member.key) else { continue }
            let all: JSONValue = try JSONValue(parsing: [UInt8](JSONEncoder().encode(recipe)))
            guard case .object(var object) = all else { continue }
            object[key.rawValue] = member.value
            do {
                recipe = try JSONDecoder().decode(Recipe.self, from: Data(JSONValue.object(object).serialized()))
            } catch {
                throw RecipeFileError.wrongType(file: file, key: member.key, value: member.value.text())
            }
        }
        return recipe
    }

    /// YAML's values as JSON's.
    private static func json(_ value: Any?) throws -> JSONValue {
        switch value {
        case let value as Bool: .bool(value)
        case let value as Int: .integer(value)
        case let value as Double: .double(value)
        case let value as String: .string(value)
        case let value as [Any]: .array(try value.map { try json($0) })
        case let value as [String: Any]:
            .object(JSONObject(try value.sorted { $0.key < $1.key }.map { ($0.key, try json($0.value)) }))
        default: .null
        }
    }
}

/// A field of CServe's public recipes that this build accepts only where it asks for nothing.
struct ForeignRecipeField {
    var harmless: [JSONValue]
    var instead: String

    /// By name (CServeRecipe, CServeV2RecipeInput).
    static let all: [String: ForeignRecipeField] = [
        "revision": Self(harmless: ["main"], instead: "Download the revision and name its folder in model."),
        "is_embedding_model": Self(harmless: [false], instead: "Embeddings are not built."),
        "tokenizer": Self(harmless: [], instead: "The tokenizer is read from the model's folder."),
        "swap_space": Self(harmless: [0, 0.0], instead: "Preempted requests are recomputed: leave it at 0."),
        "eager_execution": Self(harmless: [true], instead: "There are no CUDA graphs: set it to true or leave it out."),
        "max_seq_len_to_capture": Self(harmless: [8192], instead: "There are no CUDA graphs: leave it out."),
        "num_scheduler_steps": Self(harmless: [1], instead: "Leave it at 1."),
        "use_flashinfer": Self(harmless: [false], instead: "Leave it at false."),
        "distributed_executor_backend": Self(harmless: ["mp"], instead: "One process serves: leave it out."),
        "spec_draft_model": Self(harmless: [], instead: "Drafts come from the text itself: use spec_proposer ngram."),
        "spec_max_batch_size": Self(harmless: [], instead: "Drafts are made where they pay: leave it out."),
        "spec_max_seq_len": Self(harmless: [], instead: "Drafts are made where they pay: leave it out."),
    ]
}

/// Finds what was probably meant.
enum Spelling {
    /// The candidate with the fewest edits, if they are few for its length.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let ranked = candidates.map { ($0, distance(Array(word.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }
        guard let (candidate, edits) = ranked, edits <= max(2, candidate.count / 3) else { return nil }
        return candidate
    }

    /// Levenshtein's distance.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row: [Int] = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal: Int = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let cost: Int = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[right.count]
    }
}
