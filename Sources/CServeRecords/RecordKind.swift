// What a record is of, and how far its run came.

/// The kinds of runs that the book keeps.
public enum RecordKind: String, Codable, Hashable, Sendable, CaseIterable {
    /// A search by `cserve plan`.
    case plan
    /// Loads in virtual time by `cserve simulate`.
    case simulation
    /// Requests to a server, or an engine measured without one.
    case bench
    /// What a machine was measured to do.
    case profile
    /// A plan that was brought to run.
    case deployment
}

/// How far a run came.
public enum RecordStatus: String, Codable, Hashable, Sendable, CaseIterable {
    /// Its process is at work (or on another machine, where this cannot be told).
    case running
    /// It ended and its results are in the book.
    case finished
    /// It ended with an error.
    case failed
    /// Its process is gone without having said how it ended.
    case interrupted
}

/// Whether a document went into a run or came out of it.
public enum DocumentRole: String, Codable, Hashable, Sendable, CaseIterable {
    /// Read by the run.
    case input
    /// Made by the run.
    case output
}
