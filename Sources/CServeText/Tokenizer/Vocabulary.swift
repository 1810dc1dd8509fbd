// Tokens by id and ids by token, by their exact bytes.
import CServeCore

/// A model's vocabulary.
struct Vocabulary: Sendable {
    private(set) var table: ByteTable
    private var tokens: ContiguousArray<String?> = []
    /// Ids above this are refused: a table of tokens by id would not fit.
    static let maximumID = 1 << 24

    init(capacity: Int = 0) {
        table = ByteTable(capacity: capacity)
        tokens.reserveCapacity(capacity)
    }

    /// The highest id plus one.
    var size: Int { tokens.count }
    /// The number of different tokens.
    var count: Int { table.count }

    mutating func insert(_ token: String, id: Int) {
        table.insert(Array(token.utf8), Int32(id))
        while tokens.count <= id { tokens.append(nil) }
        tokens[id] = token
    }

    func id(_ token: String) -> TokenID? { table.find(Array(token.utf8)) }
    func id(_ bytes: [UInt8]) -> TokenID? { table.find(bytes) }

    func token(_ id: TokenID) -> String? {
        id >= 0 && Int(id) < tokens.count ? tokens[Int(id)] : nil
    }

    /// Reads `{"token": id, ...}`.
    init(json: JSONValue?, key: String) throws(TokenizerError) {
        guard let members = json?.members else {
            throw .malformed(key: key, expected: "an object of tokens and their ids")
        }
        self.init(capacity: members.count)
        for (token, value) in members {
            guard let id = value.integer, id >= 0, id < Vocabulary.maximumID else {
                throw .malformed(key: "\(key)[\"\(token)\"]", expected: "an id from 0 to \(Vocabulary.maximumID - 1)")
            }
            insert(token, id: id)
        }
    }
}
