// Shows scripts what CServe makes of texts and conversations, so that they can compare it with Python's libraries.
//
// TextProbe ids CORPUS.jsonl DIR    one JSON object per entry: ids, plain ids, decoded texts
// TextProbe chat CASES.json DIR     one JSON object per conversation: the prompt's text and ids, or an error
import CServeCore
import CServeText
import Foundation

/// The corpus: one JSON string per line.
func readCorpus(_ path: String) throws -> [String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try data.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: [UInt8]($0)).stringValue ?? "" }
}

func json(_ ids: [TokenID]) -> JSONValue { .array(ids.map { .integer(Int($0)) }) }

func ids(_ text: String, _ tokenizer: Tokenizer) -> JSONValue {
    let ids = tokenizer.encode(text)
    return [
        "ids": json(ids), "plain": json(tokenizer.encodePlain(text)), "text": .string(tokenizer.decode(ids)),
        "all": .string(tokenizer.decode(ids, skipSpecialTokens: false)),
    ]
}

func chat(_ item: JSONValue, _ template: ChatTemplate, _ tokenizer: Tokenizer) -> JSONValue {
    let variables = (item["kwargs"]?.objectValue?.members ?? []).map { ($0.key, $0.value) }
    let conversation = Conversation(
        messages: item["messages"]?.arrayValue ?? [], tools: item["tools"]?.arrayValue,
        documents: item["documents"]?.arrayValue,
        addGenerationPrompt: item["add_generation_prompt"]?.boolValue ?? true,
        variables: Dictionary(variables) { $1 })
    let now = ClockComponents(year: 2025, month: 7, day: 4, hour: 15, minute: 6, second: 9)
    do {
        let segments = try template.render(conversation, now: now)
        return ["text": .string(segments.map(\.text).joined()), "ids": json(tokenizer.encode(segments))]
    } catch {
        return ["error": .string("\(error)")]
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4, ["ids", "chat"].contains(arguments[1]) else {
    FileHandle.standardError.write(Data("usage: TextProbe ids CORPUS.jsonl DIR | chat CASES.json DIR\n".utf8))
    exit(2)
}
let directory = URL(fileURLWithPath: arguments[3])
let tokenizer = try Tokenizer(directory: directory)
var output: [UInt8] = []
if arguments[1] == "ids" {
    for text in try readCorpus(arguments[2]) { output += Array(ids(text, tokenizer).serialized()) + [0x0A] }
} else if let template = try ChatTemplate.load(directory: directory) {
    let cases = try JSONValue(parsing: [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments[2]))))
    for item in cases.arrayValue ?? [] { output += Array(chat(item, template, tokenizer).serialized()) + [0x0A] }
}
FileHandle.standardOutput.write(Data(output))
