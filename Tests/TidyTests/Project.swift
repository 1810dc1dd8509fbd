// Reads the project's own files, so that the tidy tests can hold it to its rules.

import Foundation

/// The checkout that these tests were compiled in.
enum Project {
    static let root: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All files below a folder with one of the extensions, as paths relative to the root, sorted.
    static func files(below folder: String, extensions: Set<String>) -> [String] {
        let base = root.appending(path: folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return names.filter { extensions.contains(URL(filePath: $0).pathExtension) }
            .map { folder + "/" + $0 }.sorted()
    }

    /// The names of the folders directly below a folder.
    static func folders(below folder: String) -> [String] {
        let base = root.appending(path: folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: base.path)) ?? []
        return names.filter { name in
            var isFolder: ObjCBool = false
            let path = base.appending(path: name).path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }.sorted()
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func lines(_ path: String) throws -> [String] {
        try text(path).components(separatedBy: "\n")
    }
}
