// The catalogues that are embedded in the binary, read from the checkout.

import CServeCost
import Foundation

/// The shipped files.
enum ShippedCatalogs {
    private static let assets: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Assets")

    static func file(_ path: String) throws -> CatalogFile {
        CatalogFile(name: path, bytes: [UInt8](try Data(contentsOf: assets.appending(path: path))))
    }

    static func hardware() throws -> HardwareCatalog {
        try HardwareCatalog([
            file("hardware/accelerators.json"), file("hardware/nodes.json"), file("hardware/instances.json"),
        ])
    }

    static func models() throws -> ModelCatalog { try ModelCatalog(file("models/catalog.json")) }
}
