// The embedded catalogues, with what the user lays over them.

import ArgumentParser
import CAssets
import CServeCore
import CServeCost
import Foundation

/// Hardware and models that planning knows by name.
enum Catalogs {
    /// The shipped hardware.
    static func hardware() throws -> HardwareCatalog {
        try HardwareCatalog([
            file("accelerators.json", cassets_hardware_accelerators()),
            file("nodes.json", cassets_hardware_nodes()),
            file("instances.json", cassets_hardware_instances()),
        ])
    }

    /// The shipped models.
    static func models() throws -> ModelCatalog {
        try ModelCatalog(file("catalog.json", cassets_models()))
    }

    private static func file(_ name: String, _ asset: CAsset) -> CatalogFile {
        CatalogFile(
            name: "the built-in " + name, bytes: InputFiles.current.builtIn(name, BuiltInModel.bytes(asset)))
    }
}

/// What changes the hardware catalogue: a user's files and prices.
struct CatalogOptions: ParsableArguments {
    @Option(
        name: .customLong("hardware"),
        help: "A JSON file of hardware that is laid over the catalogue (same schema; may be repeated).",
        completion: .file())
    var hardwareFiles: [String] = []

    @Option(
        name: .customLong("price"),
        help: "Your price in US dollars per hour: l4=0.71 (each accelerator) or g6.12xlarge=3.9 (may be repeated).")
    var prices: [String] = []

    /// The catalogue with files and prices laid over it.
    func catalog() throws -> HardwareCatalog {
        var catalog: HardwareCatalog = try Catalogs.hardware()
        for path in hardwareFiles {
            guard let bytes = InputFiles.current.contents(path) else { throw CatalogFileError.unreadable(path) }
            try catalog.add(CatalogFile(name: path, bytes: bytes))
        }
        for price in prices { try catalog.setPrice(price) }
        return catalog
    }
}

/// A file that cannot be opened.
enum CatalogFileError: Error, Hashable, CustomStringConvertible {
    case unreadable(String)

    var description: String {
        switch self {
        case .unreadable(let path): "\(path) cannot be read. Is it there, and may you read it?"
        }
    }
}
