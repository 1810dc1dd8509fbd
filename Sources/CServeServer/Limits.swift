// What one client may ask of the server, so that no request can exhaust it: each limit has one place and one message.

/// Bounds on what a request may hold and how long it may take to arrive.
public struct Limits: Hashable, Sendable {
    /// Bytes of a request's body.
    public var bodyBytes: Int = 16 << 20
    /// Bytes of a request's header fields together.
    public var headerBytes: Int = 32 << 10
    /// Depth of nested JSON.
    public var jsonDepth: Int = 64
    /// Messages of one chat.
    public var messages: Int = 4096
    /// Prompts in one completion request.
    public var prompts: Int = 256
    /// Stop strings per request.
    public var stopStrings: Int = 16
    /// UTF-8 bytes per stop string.
    public var stopStringBytes: Int = 1024
    /// Entries of `logit_bias`, `stop_token_ids`, `bad_words`.
    public var listEntries: Int = 4096
    /// Bytes of text per token of context that a prompt may have at most: longer ones cannot fit and are not encoded.
    public var promptBytesPerToken: Int = 256
    /// Answers of one request (n, best_of) over all of its prompts.
    public var answers: Int = 1024
    /// Seconds for a connection to send its next request.
    public var idleSeconds: Int = 75
    /// Seconds for a request's body to arrive.
    public var bodySeconds: Int = 60
    /// Seconds that a client may leave its answer unread.
    public var writeSeconds: Int = 60
    /// Open connections; more wait to be accepted.
    public var connections: Int = 16384

    /// The defaults.
    public init() {}
}
