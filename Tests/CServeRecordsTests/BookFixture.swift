// Books in folders of their own, and runs to put into them.

import CServeCore
import Foundation
import Testing

@testable import CServeRecords

/// A folder that goes when the test does.
final class BookFolder: Sendable {
    let url: URL = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    var path: String { url.appending(path: "book.sqlite").path }

    func book(_ change: (inout RecordBook.Options) -> Void = { _ in }) throws -> RecordBook {
        var options = RecordBook.Options()
        change(&options)
        return try RecordBook(path: path, options: options)
    }
}

/// Records for tests.
enum Sample {
    static let machine = MachineFingerprint(
        processor: "EPYC", cores: 2, memoryBytes: 1 << 34, instructionSet: "avx512", system: "Linux",
        accelerators: ["L4"])

    static func record(
        _ kind: RecordKind = .simulation, model: String? = "llama-3-8b", tags: [String] = [], seed: UInt64? = 7,
        began: Int? = nil
    ) -> Record {
        var record = Record(
            kind: kind, title: "chat on l4", model: model, tags: tags, arguments: ["simulate", "--on", "l4"],
            seed: seed, version: "0.1.0", build: "debug", machine: machine)
        if let began {
            record.beganAt = began
            record.id = RecordID.make(at: began)
        }
        return record
    }

    static func input(_ name: String, _ text: String) -> DocumentContent {
        DocumentContent(role: .input, name: name, bytes: Array(text.utf8))
    }

    /// A process that has never been: this start of this machine, but another's number and start.
    static var goneProcess: ProcessMark {
        var mark: ProcessMark = .current
        mark.start = "1"
        return mark
    }
}
