// The flags that say whether a run is recorded, and in which book.

import ArgumentParser
import Foundation

/// Where the record book is.
struct BookOptions: ParsableArguments {
    @Option(
        help: """
            The record book (default: CSERVE_RECORDS, else records.sqlite in cserve's folder of XDG_DATA_HOME or \
            ~/.local/share).
            """, completion: .file())
    var records: String?

    /// The book's place.
    func path() throws -> String {
        switch BookPlace.find(records) {
        case .path(let path): return path
        case .off: throw ValidationError("CSERVE_RECORDS is off. Name a book with --records FILE.")
        case .homeless:
            throw ValidationError("There is no home folder for a record book. Name one with --records FILE.")
        }
    }
}

/// Whether and where a run is recorded.
struct RecordingOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Keep the run in the record book (CSERVE_RECORDS=off: never).")
    var record: Bool = true

    @OptionGroup var book: BookOptions

    @Option(name: .customLong("tag"), help: "Marks the record (may be repeated).")
    var tags: [String] = []

    @Option(help: "What the record is called.")
    var recordTitle: String?
}

/// From flag and environment to a place.
enum BookPlace: Hashable {
    case path(String)
    case off
    case homeless

    static func find(
        _ flag: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> BookPlace {
        if let flag { return .path(flag) }
        if let place = environment["CSERVE_RECORDS"], !place.isEmpty {
            return ["off", "no", "0"].contains(place.lowercased()) ? .off : .path(place)
        }
        // XDG Base Directory Specification: a relative XDG_DATA_HOME is passed over.
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
            return .path(data + "/cserve/records.sqlite")
        }
        guard let home = environment["HOME"], !home.isEmpty else { return .homeless }
        return .path(home + "/.local/share/cserve/records.sqlite")
    }
}
