// Measures the tokenizer on a corpus, or prints what it makes of it, so that a script can compare both with PyPI's.
//
// TokenizerBenchmark speed CORPUS.jsonl DIR...   one line per folder: name, MB/s (the best of several rounds)
// TokenizerBenchmark ids CORPUS.jsonl DIR        one JSON object per entry: ids, plain ids, decoded texts
import CServeText
import Foundation

/// The corpus: one JSON string per line.
func readCorpus(_ path: String) throws -> [String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let decoder = JSONDecoder()
    return try data.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(String.self, from: $0) }
}

struct Result: Encodable {
    var ids: [Int32]
    var plain: [Int32]
    var text: String
    var all: String
}

func printIDs(_ corpus: [String], _ directory: String) throws {
    let tokenizer = try Tokenizer(directory: URL(fileURLWithPath: directory))
    let encoder = JSONEncoder()
    var output = Data()
    for text in corpus {
        let ids = tokenizer.encode(text)
        let result = Result(
            ids: ids, plain: tokenizer.encodePlain(text, addSpecialTokens: false), text: tokenizer.decode(ids),
            all: tokenizer.decode(ids, skipSpecialTokens: false))
        output.append(try encoder.encode(result))
        output.append(UInt8(ascii: "\n"))
    }
    FileHandle.standardOutput.write(output)
}

func measure(_ corpus: [String], _ directory: String) throws {
    let start = ContinuousClock.now
    let tokenizer = try Tokenizer(directory: URL(fileURLWithPath: directory))
    let load = ContinuousClock.now - start
    let bytes = corpus.reduce(0) { $0 + $1.utf8.count }
    var best = Duration.seconds(3600)
    var count = 0
    for _ in 0..<5 {
        count = 0
        let time = ContinuousClock().measure {
            for text in corpus { count += tokenizer.encode(text).count }
        }
        best = min(best, time)
    }
    let name = URL(fileURLWithPath: directory).lastPathComponent
    let speed = Double(bytes) / (best / .seconds(1)) / 1e6
    print("\(name) \(speed) \(count) \(load / .milliseconds(1))")
}

let arguments = CommandLine.arguments
guard arguments.count >= 4, ["speed", "ids"].contains(arguments[1]) else {
    FileHandle.standardError.write(Data("usage: TokenizerBenchmark speed|ids CORPUS.jsonl DIR...\n".utf8))
    exit(2)
}
let corpus = try readCorpus(arguments[2])
for directory in arguments.dropFirst(3) {
    if arguments[1] == "speed" { try measure(corpus, directory) } else { try printIDs(corpus, directory) }
}
