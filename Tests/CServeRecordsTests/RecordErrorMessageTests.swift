// Every way in which the book can refuse, with the message that a person reads.

import Testing

@testable import CServeRecords

@Test("Every refusal of the record book says what happened and what to do")
func recordBookErrorMessages() {
    let messages: [(RecordBookError, [String])] = [
        (.missing(path: "b"), ["no record book at b", "--records"]),
        (.notABook(path: "b"), ["b is an SQLite database", "--records"]),
        (.newer(path: "b", schema: 9, known: 2), ["schema 9", "2 at most", "newer cserve"]),
        (.corrupt(path: "b", reason: "r"), ["b is damaged: r", "Nothing was changed", ".recover", "import"]),
        (.full(path: "b"), ["no room", "Nothing was half written", "delete"]),
        (.busy(path: "b", seconds: 10), ["locked by another process for 10 s", "Try again"]),
        (.readOnly(path: "b"), ["may not be written", "permissions"]),
        (.unusable(path: "b", reason: "r"), ["b cannot be used: r", "--records"]),
        (.unknown(reference: "7f", path: "b"), ["no record 7f in b", "records list"]),
        (.ambiguous(reference: "7", candidates: ["7a", "7b"]), ["7a, 7b", "Write more"]),
        (.stillRunning(id: "7f", process: 12), ["7f is still running (process 12)", "Wait"]),
        (.notRunning(id: "7f"), ["7f is not running any more"]),
        (.notAnArchive(file: "f", reason: "r."), ["f is no export of records: r.", "export"]),
        (.newerArchive(file: "f", version: 3, known: 1), ["version 3", "1 at most"]),
        (.wrongDigest(file: "f", digest: "ab", found: "cd"), ["document ab", "cd", "Nothing was imported"]),
        (.conflict(file: "f", id: "7f"), ["7f is in the book already", "Nothing was imported"]),
    ]
    for (error, parts) in messages {
        for part in parts { #expect(error.description.contains(part), "\(error.description)") }
    }
}
