// Conversations to prompts: the documented formats of the model families, files, content parts, continuation.

import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct ChatTemplateTests {
    static let clock = JinjaCasesTests.clock
    static let tokens = ["bos_token": "<s>", "eos_token": "</s>"]

    static func families() throws -> JSONValue {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "Fixtures/chat-template-families.json")
        return try JSONValue(parsing: [UInt8](try Data(contentsOf: file)))
    }

    static func conversation(_ json: JSONValue) -> Conversation {
        let variables = (json["kwargs"]?.objectValue?.members ?? []).map { ($0.key, $0.value) }
        return Conversation(
            messages: json["messages"]?.arrayValue ?? [], tools: json["tools"]?.arrayValue,
            addGenerationPrompt: json["add_generation_prompt"]?.boolValue ?? true,
            continueFinalMessage: json["continue_final_message"]?.boolValue ?? false,
            variables: Dictionary(uniqueKeysWithValues: variables))
    }

    // Origin: our own templates in the families' documented formats, rendered by transformers' render_jinja_template
    // (Tools/templates/make_families.py).
    @Test("Every family's format comes out as transformers renders it")
    func familyFormats() throws {
        let fixture = try ChatTemplateTests.families()
        let rows = try #require(fixture["rows"]?.arrayValue)
        #expect(rows.count == 56)
        for row in rows {
            let family = row["family"]?.stringValue ?? ""
            let name = row["conversation"]?.stringValue ?? ""
            let source = try #require(fixture["templates"]?[family]?.stringValue)
            let template = try ChatTemplate(source: source, specialTokens: ChatTemplateTests.tokens)
            let conversation = ChatTemplateTests.conversation(try #require(fixture["conversations"]?[name]))
            let result = Result { try template.renderText(conversation, now: ChatTemplateTests.clock) }
            if let text = row["text"]?.stringValue {
                #expect((try? result.get()) == text, "\(family), \(name): \(result)")
            } else {
                #expect(throws: (any Error).self, "\(family), \(name)") { try result.get() }
            }
        }
    }

    @Test("Only the template's own text and its special tokens may yield special tokens")
    func provenance() throws {
        let source = try #require(try ChatTemplateTests.families()["templates"]?["chatml"]?.stringValue)
        let template = try ChatTemplate(source: "{{ bos_token }}" + source, specialTokens: ChatTemplateTests.tokens)
        let segments = try template.render(
            Conversation(messages: [["role": "user", "content": "<|im_end|>"]]), now: ChatTemplateTests.clock)
        #expect(
            segments == [
                TextSegment(text: "<s><|im_start|>user\n", mayYieldSpecialTokens: true),
                TextSegment(text: "<|im_end|>", mayYieldSpecialTokens: false),
                TextSegment(text: "<|im_end|>\n<|im_start|>assistant\n", mayYieldSpecialTokens: true),
            ])
    }

    @Test("A role that templates know builds tokens, any other is a user's text")
    func roles() throws {
        let source = "{% for m in messages %}{{ '<|' + m.role + '|>' }}{% endfor %}"
        let template = try ChatTemplate(source: source, specialTokens: ChatTemplateTests.tokens)
        let segments = try template.render(
            Conversation(messages: [["role": "user", "content": "a"], ["role": "end", "content": "b"]]),
            now: ChatTemplateTests.clock)
        #expect(
            segments == [
                TextSegment(text: "<|user|><|", mayYieldSpecialTokens: true),
                TextSegment(text: "end", mayYieldSpecialTokens: false),
                TextSegment(text: "|>", mayYieldSpecialTokens: true),
            ])
    }

    @Test("A message's null members count as missing, as in transformers")
    func nullMembers() throws {
        let source = "{% for m in messages %}{{ m.content }}{{ m.tool_calls is defined }}{% endfor %}"
        let template = try ChatTemplate(source: source, specialTokens: ChatTemplateTests.tokens)
        let conversation = Conversation(messages: [["role": "assistant", "content": nil, "tool_calls": nil]])
        #expect(try template.renderText(conversation, now: ChatTemplateTests.clock) == "False")
    }

    @Test("A user's variable of a special token's name is a user's text")
    func overriddenToken() throws {
        let template = try ChatTemplate(source: "{{ bos_token }}", specialTokens: ChatTemplateTests.tokens)
        let conversation = Conversation(messages: [], variables: ["bos_token": "</s>"])
        #expect(
            try template.render(conversation, now: ChatTemplateTests.clock)
                == [TextSegment(text: "</s>", mayYieldSpecialTokens: false)])
    }

    @Test(
        "Templates that iterate over content get parts, the others one text",
        arguments: [
            ("{% for m in messages %}{{ m.content }}{% endfor %}", false),
            ("{% for m in messages %}{% for p in m['content'] %}{{ p.text }}{% endfor %}{% endfor %}", true),
            (
                "{% for m in messages %}{% set c = m.content %}{% for p in c %}{{ p.text }}{% endfor %}{% endfor %}",
                true
            ),
            (
                "{% for m in messages %}{% if m.content is string %}{% else %}{% for p in m.content|list %}{{ p.text }}{% endfor %}{% endif %}{% endfor %}",
                true
            ),
        ])
    func contentFormats(source: String, takesParts: Bool) throws {
        let template = try ChatTemplate(source: source, specialTokens: [:])
        #expect(template.contentFormat == (takesParts ? .parts : .string))
        let parts: JSONValue = [["type": "text", "text": "a"], ["type": "text", "text": "b"]]
        let text = try template.renderText(
            Conversation(messages: [["role": "user", "content": parts]]), now: ChatTemplateTests.clock)
        #expect(text == (takesParts ? "ab" : "a\nb"))
    }

    @Test("Every problem with a conversation or a file has its message")
    func errors() throws {
        let source = "{% for m in messages %}{{ m.content }}|{% endfor %}"
        let template = try ChatTemplate(source: source, specialTokens: [:])
        func error(_ conversation: Conversation, _ template: ChatTemplate) -> ChatTemplateError? {
            #expect(throws: ChatTemplateError.self) { try template.render(conversation, now: ChatTemplateTests.clock) }
        }
        func continued(_ messages: [JSONValue], field: String = "content", prompt: Bool = false) -> Conversation {
            Conversation(
                messages: messages, addGenerationPrompt: prompt, continueFinalMessage: true, continuedField: field)
        }
        let image: JSONValue = ["role": "user", "content": [["type": "image_url", "image_url": "x"]]]
        #expect(error(Conversation(messages: [image]), template) == .unsupportedPart(message: 0, type: "image_url"))
        #expect(error(Conversation(messages: ["x"]), template) == .messageNotAnObject(index: 0))
        #expect(error(continued([]), template) == .nothingToContinue)
        #expect(error(continued([["content": nil]]), template) == .noFinalText(field: "content"))
        #expect(error(continued([["z": "x"]], field: "z"), template) == .fieldNotInTemplate(field: "z"))
        #expect(error(continued([["content": "x"]], prompt: true), template) == .continuationAndPrompt)
        let upper = try ChatTemplate(source: "{{ messages[0].content|upper }}", specialTokens: [:])
        #expect(error(continued([["content": "x"]]), upper) == .finalMessageLost)
        let list = Data(#"{"chat_template": [{"name": "rag", "template": "x"}]}"#.utf8)
        let named = try ChatTemplate(tokenizerConfiguration: list, jinja: nil)
        #expect(error(Conversation(messages: []), named) == .noDefault(names: ["rag"]))
    }

    @Test(
        "Messages say what to do",
        arguments: [
            (.missing(model: "m"), "--chat-template"), (.noDefault(names: ["a"]), "named 'default'"),
            (.malformedFile(name: "f", problem: "p"), "f cannot be read: p"),
            (.messageNotAnObject(index: 3), "messages[3]"),
            (.unsupportedPart(message: 1, type: "audio"), "'audio'"), (.nothingToContinue, "at least one"),
            (.noFinalText(field: "content"), "'content'"), (.fieldNotInTemplate(field: "z"), "'z'"),
            (.finalMessageLost, "does not write the last message"), (.continuationAndPrompt, "exclude each other"),
        ] as [(ChatTemplateError, String)])
    func messages(error: ChatTemplateError, part: String) {
        #expect(error.description.contains(part))
    }

    @Test("Files beside a checkpoint: the jinja file wins, lists have names, tokens come as text or objects")
    func loading() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "cserve-template-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "additional_chat_templates"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        #expect(try ChatTemplate.load(directory: folder)?.source == nil)
        try write("special_tokens_map.json", #"{"bos_token": "<old>", "eos_token": {"content": "</s>"}}"#)
        let list = #"[{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T{{ eos_token }}"}]"#
        try write(
            "tokenizer_config.json",
            #"{"bos_token": {"content": "<s>"}, "pad_token": null, "chat_template": "# + list + "}")
        func render(_ tools: [JSONValue]?) throws -> String? {
            try ChatTemplate.load(directory: folder)?
                .renderText(Conversation(messages: [], tools: tools), now: ChatTemplateTests.clock)
        }
        #expect(try render(nil) == "D")
        #expect(try render([]) == "T</s>")
        try write("chat_template.jinja", "J{{ bos_token }}{{ pad_token }}\n")
        try write("additional_chat_templates/tool_use.jinja", "A")
        #expect(try render(nil) == "J<s>")
        #expect(try render([]) == "A")
        try write("tokenizer_config.json", #"{"chat_template": 5}"#)
        #expect(throws: ChatTemplateError.self) { try ChatTemplate.load(directory: folder) }
        try write("tokenizer_config.json", "{")
        #expect(throws: ChatTemplateError.self) { try ChatTemplate.load(directory: folder) }
    }

    @Test("A configuration in memory without a template says so")
    func missing() {
        #expect(throws: ChatTemplateError.missing(model: "the model")) {
            try ChatTemplate(tokenizerConfiguration: Data("{}".utf8), jinja: nil)
        }
    }

    // Origin: CPython's datetime.strftime.
    @Test("Dates at the edges of weeks and years")
    func dates() {
        let day = ClockComponents(year: 2021, month: 1, day: 3, hour: 0, minute: 5)
        #expect(StrftimeFormat.text("%G-W%V-%u %U %W %j %I:%M %p %w", day) == "2020-W53-7 01 00 003 12:05 AM 0")
        let end = ClockComponents(year: 2024, month: 12, day: 31, hour: 23)
        #expect(StrftimeFormat.text("%G-W%V-%u %U %W %j %-H %a%%", end) == "2025-W01-2 52 53 366 23 Tue%")
    }
}
