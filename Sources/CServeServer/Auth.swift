// Who may ask: API keys, compared in a time that does not depend on where they differ.

/// The keys that a server accepts; none means that everyone may ask.
public struct APIKeys: Sendable {
    private let keys: [[UInt8]]

    /// Creates the set; empty keys are dropped.
    public init(_ keys: [String]) {
        self.keys = keys.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// Whether any key is set.
    public var areRequired: Bool { !keys.isEmpty }

    /// Whether an `Authorization` header carries one of the keys.
    func admit(authorization: String?) -> Bool {
        guard areRequired else { return true }
        guard let authorization, authorization.utf8.count > 7, authorization.prefix(7).lowercased() == "bearer " else {
            return false
        }
        let offered: [UInt8] = Array(authorization.dropFirst(7).utf8)
        var found: Bool = false
        for key in keys where APIKeys.equal(key, offered) { found = true }
        return found
    }

    /// Compares without stopping at the first difference; only the offered length shows in the time.
    static func equal(_ key: [UInt8], _ offered: [UInt8]) -> Bool {
        var difference: UInt8 = key.count == offered.count ? 0 : 1
        for (index, byte) in offered.enumerated() {
            difference |= byte ^ key[index % key.count]
        }
        return difference == 0
    }
}
