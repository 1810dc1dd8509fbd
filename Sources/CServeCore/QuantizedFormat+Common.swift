// Which format holds the numbers of another: matrices whose parts differ take one representation without rounding again.

extension QuantizedFormat {
    /// The integer code that stands for zero where there are no minimums.
    public var zero: Int {
        switch code {
        case .int8: 128
        case .int4: 8
        case .fp8: 0
        }
    }

    /// The narrowest format that holds every number of both exactly; nil where a float code meets an integer code.
    public func holding(_ other: QuantizedFormat) -> QuantizedFormat? {
        guard (code == .fp8) == (other.code == .fp8) else { return nil }
        var common = self
        if other.code.bits > code.bits { common.code = other.code }
        common.group = group.map { own in other.group.map { min(own, $0) } ?? own } ?? other.group
        common.hasMinimums = hasMinimums || other.hasMinimums
        // A minimum made of a scale is up to 128 times as large: beyond what a half may hold.
        let grows = scale == .float16 && hasMinimums != other.hasMinimums
        if scale != other.scale || grows { common.scale = .float32 }
        return common
    }

    /// The format that holds columns from `first` on, with groups that begin there; nil where no group size does.
    public func sliced(at first: Int) -> QuantizedFormat? {
        guard let group, first % group != 0 else { return self }
        guard let finer = [64, 32, 16].first(where: { $0 < group && first % $0 == 0 }) else { return nil }
        var slice = self
        slice.group = finer
        return slice
    }
}
