// The measured utilisation curves of accelerators, as shipped or as fitted by `cserve calibrate`.

/// Measured utilisations of operators on accelerators.
public struct UtilisationLibrary: Sendable {
    /// Nothing measured: every time comes from data sheets and the physical model.
    public static let none = UtilisationLibrary()

    init() {}
}
