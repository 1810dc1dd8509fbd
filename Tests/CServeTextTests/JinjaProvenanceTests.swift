// Who wrote which character: nothing that a user wrote may ever count as the template's.

import CServeCore
import Testing

@testable import CServeText

@Suite struct JinjaProvenanceTests {
    static func text(_ source: String, _ variables: [String: JinjaValue]) throws -> JinjaText {
        try JinjaInterpreter.render(
            try JinjaParser.parse(source, template: "t"), variables: variables, template: "t", limits: JinjaLimits(),
            clock: JinjaCasesTests.clock)
    }

    /// The output with a user's characters in brackets.
    static func marked(_ source: String, _ variables: [String: JinjaValue]) throws -> String {
        try text(source, variables).segments.map { $0.mayYieldSpecialTokens ? $0.text : "[\($0.text)]" }.joined()
    }

    @Test(
        "Origins are kept piece by piece",
        arguments: [
            ("<a>{{ u }}<b>", "<a>[ User, x ]<b>"), ("{{ '<a>' ~ u ~ '<b>' }}", "<a>[ User, x ]<b>"),
            ("{{ ('<a>' + u + '<b>')[2:8] }}", ">[ User]"), ("{{ ('<a>' + u)|upper|trim }}", "<A>[ USER, X]"),
            ("{{ u.strip().replace('x', '<b>') }}", "[User, ]<b>"), ("{{ '<a>x'.replace('x', u) }}", "<a>[ User, x ]"),
            ("{{ ('<a>,' ~ u).split(',')|join('<s>') }}", "<a><s>[ User]<s>[ x ]"),
            ("{{ '<a>%s<b>%s' % (u, '<c>') }}", "<a>[ User, x ]<b><c>"),
            ("{{ '<a>{}<b>'.format(u) }}", "<a>[ User, x ]<b>"),
            ("{{ ['<a>', u]|tojson }}", "[[\"]<a>[\", \" User, x \"]]"),
            ("{{ ['<a>', u] }}", "[['] <a>[', ' User, x ']]".replacing(" <", with: "<")),
            ("{{ ('<a>' ~ u)[::-1] }}", "[ x ,resU ]>a<"), ("{{ n }}|{{ d.k }}", "[3]|[v]"),
            ("{% for k in d %}{{ k }}{% endfor %}", "[k]"),
            ("{% set t %}<a>{{ u }}{% endset %}{{ t|trim }}", "<a>[ User, x]"),
            ("{% macro m(x) %}<m>{{ x }}{% endmacro %}{{ m(u) }}", "<m>[ User, x ]"),
            ("{{ bos }}{{ u|first }}", "<s>[ ]"), ("{% filter lower %}<A>{{ u }}{% endfilter %}", "<a>[ user, x ]"),
            ("{{ '<|im_' ~ u ~ '|>' ~ '<x>' }}", "<|im_[ User, x ]|><x>"), ("{{ [u, '<b>']|last|indent }}", "<b>"),
            ("{{ dict(**d)|first }}{% macro k() %}{{ kwargs|first }}{% endmacro %}{{ k(**d) }}", "[kk]"),
        ])
    func pieces(source: String, expected: String) throws {
        let variables: [String: JinjaValue] = [
            "u": .untrusted(" User, x "), "n": .integer(3), "d": JinjaValue(["k": "v"]), "bos": .trusted("<s>"),
        ]
        #expect(try JinjaProvenanceTests.marked(source, variables) == expected, "\(source)")
    }

    /// Steps that take a text or a list of texts and give one text.
    private static let steps = [
        "(X)|upper", "(X)|lower", "(X)|trim", "(X)|title", "(X)|capitalize", "(X).strip('<')", "(X)[1:]", "(X)[:-1]",
        "(X)[::-1]", "(X)|replace('a', '<t>')", "'<t>a' | replace('a', X)", "(X).split('a')|join('<t>')",
        "(X)|list|join", "(X)|reverse", "(X)|tojson", "[X, '<t>']|string", "{'<t>': X}|string", "{X: '<t>'}|tojson",
        "'<t>%s' % (X)", "'%10s<t>' % (X)", "'<t>{}|{:>9}'.format(X, X)", "(X)|indent(2, true)", "(X) ~ '<t>'",
        "'<t>' + (X)", "(X) * 2", "(X)|wordwrap(7)", "(X)|truncate(9, true, '<t>', 0)", "(X)|center(30)",
        "(X)|urlencode",
        "(X)|escape", "(X).partition('a')|join", "(X).zfill(20)", "(X).swapcase()",
        "(X)|batch(3)|map('join')|join('<t>')",
        "[X]|map('upper')|first", "(X).splitlines()|join('<t>')", "(X)|list|sort|join", "(X)|unique|join",
        "(X).expandtabs()", "(X)|striptags", "(X)|format", "dict(k=X).k", "namespace(k=X).k", "(X)|default('<t>')",
        "[X, '<t>']|max", "(X)|groupby(0)|map('first')|join", "('<t>', X)|last", "[[X, '<t>']]|sum(start=[])|join",
        "(X).ljust(30, '<')", "(X).rsplit(none, 1)|join('<t>')", "(X)|pprint", "cycler(X).next()",
        "(X)|attr('upper')()",
    ]

    @Test("No chain of operations makes a user's characters the template's", arguments: 0..<40)
    func chains(seed: Int) throws {
        // The user's characters exist nowhere in the steps, and neither case nor escapes turn them into others.
        let user = Set("ዐዑዒዓዔ".unicodeScalars)
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        for _ in 0..<25 {
            var expression = "'<t>' ~ u"
            for _ in 0..<(1 + next(6)) {
                let step = JinjaProvenanceTests.steps[next(JinjaProvenanceTests.steps.count)]
                expression = step.replacing("X", with: expression)
            }
            guard let text = try? JinjaProvenanceTests.text("{{ \(expression) }}", ["u": .untrusted("ዐa ዑ\nዒ<ዓ>\tዔ")])
            else { continue }
            for (place, scalar) in text.scalars.enumerated() where user.contains(scalar) {
                #expect(!text.isTrusted(at: place), "seed \(seed): \(expression)")
            }
        }
    }
}
