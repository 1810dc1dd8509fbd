// The files inside the binary: the model and the presets of workloads.

import CAssets
import CServeEngine
import Foundation

/// The built-in model's files.
enum BuiltInModel {
    static func checkpoint(name: String) throws -> Checkpoint {
        let weights: CAsset = cassets_model_weights()
        return try Checkpoint(
            name: name, configuration: bytes(cassets_model_config()),
            generationConfiguration: bytes(cassets_model_generation_config()),
            weights: UnsafeRawBufferPointer(start: weights.bytes, count: weights.length))
    }

    static var generationConfiguration: [UInt8] { bytes(cassets_model_generation_config()) }
    static var tokenizer: Data { Data(bytes(cassets_model_tokenizer())) }
    static var tokenizerConfiguration: Data { Data(bytes(cassets_model_tokenizer_config())) }

    static func bytes(_ asset: CAsset) -> [UInt8] { BuiltInFile.bytes(asset) }
}

/// Files inside the binary.
enum BuiltInFile {
    /// The files of the workload presets.
    static var workloads: [[UInt8]] {
        var files: [[UInt8]] = []
        while true {
            let asset: CAsset = cassets_workload(files.count)
            guard asset.bytes != nil else { return files }
            files.append(bytes(asset))
        }
    }

    /// A copy of an embedded file.
    static func bytes(_ asset: CAsset) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: asset.bytes, count: asset.length))
    }
}
