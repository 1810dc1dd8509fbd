// What a template's errors say and where they point.

import Testing

@testable import CServeText

@Suite struct JinjaErrorTests {
    @Test(
        "Errors name the template, the line and the column",
        arguments: [
            ("a\n  {{ x.y }}", "t, line 2, column 7: 'x' is undefined"),
            (
                "{{ 1 }}\n{% if true %}\n{{ 'a' + 1 }}{% endif %}",
                "t, line 3, column 4: unsupported operand type(s) for +: 'str' and 'int'"
            ),
            ("{{ 'a'|nope }}", "t, line 1, column 8: no filter is named 'nope'"),
            ("x {% raise %}", "t, line 1, column 6: the template is not valid Jinja: unknown tag 'raise'"),
            (
                "{% if a %}\nb",
                "t, line 2, column 2: the template is not valid Jinja: 'if' is not closed; expected 'elif' or 'else' or 'endif'"
            ),
            ("{{ raise_exception('Roles must alternate!') }}", "t, line 1, column 19: Roles must alternate!"),
            ("{% include 'x' %}", "t, line 1, column 4: 'include' cannot stand in a chat template"),
            ("{{ [].append(1) }}", "t, line 1, column 13: access to attribute 'append' of 'list' object is unsafe."),
        ])
    func places(source: String, message: String) {
        let error = #expect(throws: JinjaError.self) {
            try ChatTemplate(source: source, specialTokens: [:], name: "t")
                .renderText(Conversation(messages: []), now: JinjaCasesTests.clock)
        }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test("A template's own refusal can be told from its errors")
    func raised() {
        let error = #expect(throws: JinjaError.self) {
            try ChatTemplate(source: "{{ raise_exception('no ' ~ 1) }}", specialTokens: [:])
                .render(Conversation(messages: []), now: JinjaCasesTests.clock)
        }
        #expect(error?.raisedMessage == "no 1")
        #expect(JinjaError(.deadline, template: "t", line: 1, column: 1).raisedMessage == nil)
    }

    @Test(
        "Every reason says what happened",
        arguments: [
            (.syntax("s"), "the template is not valid Jinja: s"), (.raised("r"), "r"), (.undefined("u"), "u"),
            (.type("t"), "t"), (.value("v"), "v"), (.security("s"), "s"), (.unsupported("u"), "u"),
            (.unknownFilter("f"), "no filter is named 'f'; see Jinja's list of built-in filters"),
            (.unknownTest("f"), "no test is named 'f'; see Jinja's list of built-in tests"), (.arithmetic("a"), "a"),
            (.stepLimit(5), "the template took more than 5 steps; shorten the conversation or the loop"),
            (.outputLimit(5), "the template wrote more than 5 bytes; shorten the conversation"),
            (.recursionLimit(5), "calls nest deeper than 5 levels; does a macro call itself without end?"),
            (.stringLimit(5), "a string would have more than 5 characters"),
            (.listLimit(5), "a list would have more than 5 elements"),
            (.nestingLimit(5), "values nest deeper than 5 levels"),
            (.deadline, "rendering the template took longer than allowed"),
        ] as [(JinjaError.Reason, String)])
    func messages(reason: JinjaError.Reason, message: String) {
        #expect(reason.description == message)
    }
}
