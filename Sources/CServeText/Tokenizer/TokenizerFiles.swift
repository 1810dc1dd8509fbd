// Finds and reads a tokenizer's files in a folder.
import Foundation

extension TokenizerStorage {
    /// Loads from a folder.
    convenience init(directory: URL) throws(TokenizerError) {
        guard let json = try TokenizerStorage.read("tokenizer.json", in: directory) else {
            let sentencePiece = directory.appendingPathComponent("tokenizer.model")
            if FileManager.default.fileExists(atPath: sentencePiece.path) {
                throw .sentencePieceOnly(path: directory.path)
            }
            throw .missingFile(path: directory.appendingPathComponent("tokenizer.json").path)
        }
        try self.init(
            json: json, configuration: TokenizerStorage.read("tokenizer_config.json", in: directory),
            specialTokensMap: TokenizerStorage.read("special_tokens_map.json", in: directory))
    }

    /// The bytes of a file; nil where there is none.
    private static func read(_ name: String, in directory: URL) throws(TokenizerError) -> [UInt8]? {
        let url = directory.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return [UInt8](try Data(contentsOf: url))
        } catch {
            throw .unreadableFile(path: url.path, reason: "\(error)")
        }
    }
}
