// What a stranger reads first must be true: the map names every folder, every file says why it exists.

import Foundation
import Testing

@Test("README's map lists every folder")
func readmeListsEveryFolder() throws {
    let readme = try Project.text("README.md")
    var folders: [String] = []
    for top in ["Sources", "Tests", "Tools", "Assets", "Benchmarks", "docs", "Examples"] {
        folders.append(top)
        if top == "Sources" || top == "Tests" || top == "Tools" {
            folders += Project.folders(below: top).map { top + "/" + $0 }
        }
    }
    for folder in folders where FileManager.default.fileExists(atPath: Project.root.appending(path: folder).path) {
        #expect(readme.contains("`\(folder)/`"), "README.md does not mention `\(folder)/`.")
    }
}

@Test("Every source file opens by saying why it exists")
func filesOpenWithTheirPurpose() throws {
    for file in Project.files(below: "Sources", extensions: ["swift", "c", "h"]) {
        let first = try Project.lines(file).first ?? ""
        #expect(first.hasPrefix("//") || first.hasPrefix("/*"), "\(file) opens with \"\(first)\".")
    }
}

@Test("No tracked text carries a path of one machine")
func noMachinePaths() throws {
    let paths: [String] = ["main", "wt-", "tools", "shared", "."].map { "/work/" + $0 } + ["/opt/" + "swift-packages"]
    for folder in ["Sources", "Tests", "Tools", "docs", "Benchmarks", "Assets"] {
        for file in Project.files(
            below: folder, extensions: ["swift", "c", "h", "py", "md", "sh", "txt", "json", "yaml", "jinja"])
        where !file.contains("/.build") {
            guard let text = try? Project.text(file) else { continue }
            for path in paths {
                #expect(text.range(of: path, options: .literal) == nil, "\(file) names \(path), a path of one machine.")
            }
        }
    }
}
