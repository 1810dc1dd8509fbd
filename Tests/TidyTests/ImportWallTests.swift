// Holds the walls between modules: SwiftPM does not reject an undeclared import, so this table does.

import Foundation
import Testing

/// What each module may import: first our own modules, then outside packages and system modules.
private let walls: [String: Set<String>] = [
    "CServeCore": [],
    "CServeScheduling": ["CServeCore"],
    "CServeText": ["CServeCore"],
    "CServeCost": ["CServeCore"],
    "CServeWorkload": ["CServeCore"],
    "CServeSimulator": ["CServeCore", "CServeScheduling", "CServeCost", "CServeWorkload"],
    "CServePlanner": ["CServeCore", "CServeCost", "CServeWorkload", "CServeSimulator"],
    "CServeEngine": ["CServeCore", "CServeScheduling", "CKernels"],
    "CServeServer": ["CServeCore", "CServeText"],
    "CServeBench": ["CServeCore", "CServeWorkload"],
    "CServeRecords": ["CServeCore"],
    "CServeDeploy": ["CServeCore"],
    "cserve": [
        "CServeCore", "CServeText", "CServeEngine", "CServeServer", "CAssets", "CServeCost", "CServeWorkload",
        "CServeScheduling", "CServeSimulator", "CServePlanner", "CServeBench", "CServeRecords",
        "CServeDeploy",
    ],
]

/// The system's modules and the outside packages, each only where its work is done.
private let outside: [String: Set<String>] = [
    "CServeCore": ["Foundation", "Glibc", "Musl", "Darwin"],
    "CServeScheduling": [],
    "CServeText": ["Foundation", "Synchronization"],
    "CServeCost": ["Glibc", "Musl", "Darwin"],
    "CServeWorkload": ["Glibc", "Musl", "Darwin"],
    "CServeSimulator": [],
    "CServePlanner": ["Dispatch", "Synchronization"],
    "CServeEngine": ["Foundation", "Synchronization", "Glibc", "Musl", "Darwin"],
    "CServeServer": [
        "Foundation", "Dispatch", "Synchronization", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "HTTPTypes",
        "Logging",
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTPTypes", "NIOSSL", "NIOConcurrencyHelpers", "ServiceLifecycle",
        "Glibc", "Musl", "Darwin",
    ],
    "CServeBench": [
        "Foundation", "Dispatch", "Synchronization", "NIOCore", "NIOPosix", "NIOHTTP1", "Glibc", "Musl", "Darwin",
    ],
    "CServeRecords": ["Foundation", "GRDB", "Glibc", "Musl", "Darwin"],
    "CServeDeploy": ["Foundation", "Synchronization", "Yams", "Glibc", "Musl", "Darwin"],
    "cserve": [
        "Foundation", "Synchronization", "ArgumentParser", "Logging", "Yams", "Glibc", "Musl", "Darwin", "NIOCore",
        "NIOPosix", "NIOHTTP1", "NIOSSL", "Dispatch",
    ],
]

@Test("Every module imports only what lies below it")
func importsStayBelow() throws {
    for module in Project.folders(below: "Sources") where !module.hasPrefix("CKernels") && module != "CAssets" {
        let allowed = try #require(walls[module], "Sources/\(module) is not in the table of walls.")
            .union(outside[module] ?? [])
        for file in Project.files(below: "Sources/\(module)", extensions: ["swift"]) {
            for name in try importedModules(file) where !allowed.contains(name) {
                Issue.record("\(file) imports \(name), which the wall around \(module) forbids: move the code.")
            }
        }
    }
}

private func importedModules(_ file: String) throws -> [String] {
    try Project.lines(file).compactMap { line in
        let words = line.split(separator: " ").map(String.init)
        guard let at = words.firstIndex(of: "import"), words.count > at + 1 else { return nil }
        let modifiers: Set<String> = [
            "@preconcurrency", "@testable", "public", "internal", "package", "private", "fileprivate",
            "@_exported", "@_spi",
        ]
        guard words[..<at].allSatisfy(modifiers.contains) else { return nil }
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        let name = kinds.contains(words[at + 1]) && words.count > at + 2 ? words[at + 2] : words[at + 1]
        return name.split(separator: ".").first.map(String.init)
    }
}

@Test("No module reads its assets through a bundle, which breaks a copied binary")
func noBundles() throws {
    for file in Project.files(below: "Sources", extensions: ["swift"]) {
        let text = try Project.text(file)
        #expect(!text.contains("Bundle" + ".module"), "\(file): embed through CAssets instead.")
    }
    #expect(try !Project.text("Package.swift").contains(".embed" + "InCode"))
}
