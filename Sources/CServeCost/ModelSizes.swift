// How large a model's weights are in each type, padding and engines left out: what tables of models show.
import CServeCore

extension ModelShape {
    /// Bytes of all weights, unpacked.
    /// - Parameters:
    ///   - quantization: As ``Quantization/format(_:)`` has it; nil: everything plain.
    ///   - plain: The type of what is not quantised, vectors included.
    public func weightBytes(_ quantization: Quantization?, plain: ElementType = .bfloat16) -> Int {
        guard let manifest = try? WeightManifest(shape: self, shard: .whole(layers)) else { return 0 }
        return manifest.items.reduce(0) { sum, item in
            guard let columns = item.columns, let format = quantization?.format(item.role) else {
                return sum + item.parameters * plain.size
            }
            let scales = item.rows * format.groups(columns: columns) * format.scale.size
            let codes = (item.rows * columns * format.code.bits + 7) / 8
            return sum + codes + scales + (item.hasBias ? item.rows * plain.size : 0)
        }
    }
}
