// Records as a terminal shows them.

import CServeCore
import CServeRecords

/// Tables and pages of records.
enum RecordText {
    /// One line per record.
    static func table(_ records: [Record], ids: [String]) -> String {
        var table = TextTable(["id", "kind", "status", "began (UTC)", "took", "model", "title", "result"], right: [4])
        for record in records {
            let tags: String = record.tags.isEmpty ? "" : " [" + record.tags.joined(separator: ", ") + "]"
            table.add([
                RecordID.short(record.id, among: ids), record.kind.rawValue, status(record),
                String(RecordClock.text(record.beganAt).dropLast(3)), took(record), record.model ?? "-",
                record.title + tags, result(record),
            ])
        }
        return table.text
    }

    /// `3 records`.
    static func count(_ count: Int) -> String { count == 1 ? "1 record" : "\(count) records" }

    /// Everything about one record but the bytes of its documents.
    static func whole(_ record: Record) -> String {
        var lines: [[String]] = [
            ["id", record.id], ["kind", record.kind.rawValue], ["title", record.title],
            ["status", status(record) + (record.failure.map { ": \($0)" } ?? "")],
            ["model", record.model ?? "-"], ["began (UTC)", RecordClock.text(record.beganAt)], ["took", took(record)],
            ["command", "cserve " + record.arguments.map(quoted).joined(separator: " ")],
        ]
        if !record.tags.isEmpty { lines.append(["tags", record.tags.joined(separator: ", ")]) }
        if let seed = record.seed { lines.append(["seed", "\(seed)"]) }
        if let original = record.rerunOf { lines.append(["repeats", original]) }
        lines.append(["version", "\(record.version) (\(record.build))"])
        lines.append(["machine", machine(record.machine)])
        var table = TextTable(lines[0])
        for line in lines.dropFirst() { table.add(line) }
        return ([table.text] + documents(record) + results(record)).joined(separator: "\n\n")
    }

    private static func documents(_ record: Record) -> [String] {
        guard !record.documents.isEmpty else { return [] }
        var table = TextTable(["document", "", "bytes", "sha256"], right: [2])
        for document in record.documents {
            let digest: String = document.digest.map { String($0.prefix(12)) } ?? "not read"
            let held: String = document.isHeld ? "" : ", not held"
            table.add([document.name, document.role.rawValue, "\(document.size)", digest + held])
        }
        return [table.text]
    }

    private static func results(_ record: Record) -> [String] {
        guard let results = record.results["results"], !results.isNull else { return [] }
        return ["Result: \(result(record))", results.text(.pretty)]
    }

    private static func result(_ record: Record) -> String {
        record.results["summary"]?.stringValue ?? record.failure.map { String($0.prefix(60)) } ?? "-"
    }

    private static func status(_ record: Record) -> String {
        let isElsewhere: Bool = record.status == .running && record.process.state == .elsewhere
        return record.status.rawValue + (isElsewhere ? " on \(record.process.host)" : "")
    }

    private static func took(_ record: Record) -> String {
        record.endedAt.map { BenchText.time(Double($0 - record.beganAt) / 1000) } ?? "-"
    }

    private static func machine(_ machine: MachineFingerprint) -> String {
        let memory: String = BenchText.figure(Double(machine.memoryBytes) / 1e9) + " GB"
        let parts: [String] = [machine.processor, "\(machine.cores) cores", memory, machine.instructionSet]
        return (parts + [machine.system] + machine.accelerators).joined(separator: ", ")
    }

    /// An argument as a shell takes it.
    static func quoted(_ argument: String) -> String {
        let isPlain: Bool = argument.wholeMatch(of: /[A-Za-z0-9_=.\/,:+@%-]+/) != nil
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }
}

/// Differences of two records.
struct DifferenceText {
    let comparison: RecordComparison
    let names: [String]
    let most: Int

    var text: String {
        let inputs: String =
            comparison.inputs.isEmpty
            ? "The same went in." : "What went in differently:\n" + table(comparison.inputs, Int.max)
        let results: String =
            comparison.isEqual
            ? "The same came out, to the last digit."
            : "What came out differently:\n" + table(comparison.results, most)
        return inputs + "\n\n" + results
    }

    var json: JSONValue {
        .object(
            JSONObject([
                ("equal", .bool(comparison.isEqual)), ("records", .array(names.map { .string($0) })),
                ("inputs", .array(comparison.inputs.map(Self.json))),
                ("results", .array(comparison.results.map(Self.json))),
            ]))
    }

    private func table(_ differences: [JSONDifference], _ most: Int) -> String {
        var table = TextTable(["", names[0], names[1], "second / first"], right: [3])
        for one in differences.prefix(most) {
            let ratio: String = one.ratio.map { BenchText.figure($0) } ?? ""
            table.add([one.path, Self.word(one.first), Self.word(one.second), ratio])
        }
        let rest: Int = differences.count - min(most, differences.count)
        return table.text + (rest > 0 ? "\n... and \(rest) more (--all)." : "")
    }

    private static func word(_ value: JSONValue?) -> String {
        guard let value else { return "-" }
        let text: String = value.stringValue ?? value.text()
        return text.count > 60 ? text.prefix(57) + "..." : text
    }

    private static func json(_ one: JSONDifference) -> JSONValue {
        var object = JSONObject([("path", .string(one.path))])
        object["first"] = one.first
        object["second"] = one.second
        object["ratio"] = one.ratio.map { .double($0) }
        return .object(object)
    }
}
