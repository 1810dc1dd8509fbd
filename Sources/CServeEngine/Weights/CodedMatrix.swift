// A stored matrix whose numbers are codes with scales: what every quantised file format is brought to.

import CServeCore

/// A matrix `[rows, columns]` = [output features, input features] stored as codes, in one of the representations that the
/// kernels multiply with (docs/design/0007): reading it changes no number.
///
/// Ownership: immutable; reads may come from several threads at once.
public protocol CodedMatrix: Sendable {
    /// The representation that holds every number of the matrix exactly.
    var format: QuantizedFormat { get }
    /// Output features.
    var rows: Int { get }
    /// Input features.
    var columns: Int { get }

    /// Reads consecutive rows, whole.
    /// - Parameters:
    ///   - rows: Which.
    ///   - codes: `[rows.count, columns]`, one byte each.
    ///   - scales: `[rows.count, format.groups(columns: columns)]`.
    ///   - minimums: As `scales`; nil where the format has none.
    func read(
        rows: Range<Int>, codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<Float>,
        minimums: UnsafeMutablePointer<Float>?)

    /// Lets the system take back the pages of the file that the matrix lies in: it has been packed. Reading brings them back.
    func releasePages()
}

extension CodedMatrix {
    /// Nothing: the matrix lies in no file.
    public func releasePages() {}
}
