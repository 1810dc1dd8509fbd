// The version that answers, headers and metrics carry.

/// This build's version.
public enum ServerVersion {
    /// Semantic version.
    public static let number: String = "0.1.0"
    /// OpenAI's `system_fingerprint`: changes when answers may.
    static let fingerprint: String = "cserve-\(number)"
}
