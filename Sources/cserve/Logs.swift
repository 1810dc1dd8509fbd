// Loggers: text or JSON lines on standard error.

import ArgumentParser
import CServeCore
import Foundation
import Logging

/// Makes the command's logger.
enum Logs {
    static func logger(_ options: LogOptions) throws -> Logger {
        guard let level = Logger.Level(rawValue: options.logLevel.lowercased()) else {
            let levels: String = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--log-level is \(options.logLevel). Choose one of: \(levels).")
        }
        var logger: Logger = Logger(label: "cserve") { label in
            if options.logJson { return JSONLogHandler() }
            return StreamLogHandler.standardError(label: label)
        }
        logger.logLevel = level
        return logger
    }
}

/// Writes one JSON object per line.
struct JSONLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line: JSONObject = JSONObject()
        line["time"] = .string(Date().formatted(.iso8601.time(includingFractionalSeconds: true)))
        line["level"] = .string(event.level.rawValue)
        line["message"] = .string("\(event.message)")
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: {
            $0.key < $1.key
        }) {
            line[key] = .string("\(value)")
        }
        Console.complain(JSONValue.object(line).text())
    }
}
