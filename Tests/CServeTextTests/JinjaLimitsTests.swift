// Hostile templates: every one ends in an error of its own, none in a crash or a long wait.

import CServeCore
import Foundation
import Testing

@testable import CServeText

@Suite struct JinjaLimitsTests {
    static func reason(_ source: String, limits: JinjaLimits = JinjaLimits()) -> JinjaError.Reason? {
        do {
            _ = try JinjaInterpreter.render(
                try JinjaParser.parse(source, template: "hostile"), variables: [:], template: "hostile", limits: limits,
                clock: JinjaCasesTests.clock)
            return nil
        } catch {
            return (error as? JinjaError)?.reason
        }
    }

    @Test("Each limit has an error of its own")
    func limits() {
        let loop = "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"
        #expect(JinjaLimitsTests.reason(loop, limits: JinjaLimits(steps: 10_000)) == .stepLimit(10_000))
        let wide = "{% for a in range(1000) %}0123456789{% endfor %}"
        #expect(JinjaLimitsTests.reason(wide, limits: JinjaLimits(outputBytes: 999)) == .outputLimit(999))
        #expect(JinjaLimitsTests.reason("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}") == .recursionLimit(400))
        #expect(JinjaLimitsTests.reason("{{ 'a' * 10**9 }}") == .stringLimit(16 << 20))
        #expect(JinjaLimitsTests.reason("{{ [1] * 10**9 }}") == .listLimit(1 << 20))
        let nest = "{% set n = namespace(l=[]) %}{% for i in range(999) %}{% set n.l = [n.l] %}{% endfor %}"
        #expect(JinjaLimitsTests.reason(nest) == .nestingLimit(160))
        #expect(JinjaLimitsTests.reason(loop, limits: JinjaLimits(isPastDeadline: { true })) == .deadline)
    }

    @Test(
        "Hostile input ends in an error",
        arguments: [
            "{{ 'ab' * 9223372036854775807 }}", "{{ range(10**12) }}", "{{ 10 ** 100 }}",
            "{{ 9223372036854775807 + 1 }}",
            "{{ '%999999999d' % 1 }}", "{{ '%.999999999f' % 1 }}", "{{ '%*d' % (999999999, 1) }}",
            "{{ '{:999999999}'.format(1) }}", "{{ 'a'.ljust(10**12) }}", "{{ 'a'|center(10**12) }}",
            "{{ ('a' * 9999)|replace('', 'b' * 9999) }}", "{{ 'a'|indent(10**12, true) }}",
            "{{ [1]|batch(10**12, 0)|list }}",
            "{{ [1]|slice(10**12)|list }}", "{{ [1]|tojson(indent=10**12) }}", "{{ ('a' * 99999).join('b' * 99999) }}",
            "{{ 99999999999999999999 }}", "{{ -9223372036854775807 - 2 }}", "{{ (-9223372036854775807 - 1) // -1 }}",
            "{{ 1e308|int }}",
            "{% set ns = namespace() %}{% for i in range(99999) %}{% set ns.a = [ns.a] %}{% endfor %}",
            "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", "{{ '\t' * 9999999 ~ '\t' * 9999999 }}",
        ])
    func hostile(source: String) {
        #expect(JinjaLimitsTests.reason(source) != nil, "\(source)")
    }

    @Test(
        "Deep and broken templates are refused on a small stack",
        arguments: [
            "(", "[", "{", "-", "not ", "a.b(", "x if ", "1+", "1~", "1**", "a|f|", "a[", "{a:", "x is y(", "a and ",
        ])
    func deep(part: String) async {
        let source = "{{ " + String(repeating: part, count: 20_000) + " }}"
        let found: JinjaError.Reason? = await JinjaLimitsTests.onSmallStack { JinjaLimitsTests.reason(source) }
        #expect(found != nil)
    }

    @Test("The deepest templates that are allowed run on a stack of two megabytes")
    func deepest() async {
        let brackets = "{{ " + String(repeating: "[", count: 60) + String(repeating: "]", count: 60) + " }}"
        let chain = "{{ " + Array(repeating: "'a'", count: 150).joined(separator: " + ") + " }}"
        let blocks = String(repeating: "{% if true %}", count: 60) + "x" + String(repeating: "{% endif %}", count: 60)
        let macro = "{% macro m() %}{% if true %}{{ [m()] }}{% endif %}{% endmacro %}{{ m() }}"
        for (source, reason) in [
            (brackets, nil), (chain, nil), (blocks, nil), (macro, JinjaError.Reason.recursionLimit(400)),
        ] {
            let found = await JinjaLimitsTests.onSmallStack { JinjaLimitsTests.reason(source) }
            #expect(found == reason)
        }
    }

    @Test("Objects that refer to one another are printed and freed")
    func cycles() throws {
        let source = """
            {% set a = namespace() %}{% set a.a = a %}{% set a.l = [a] %}{% macro m() %}{% endmacro %}{% set a.m = m %}\
            {% for i in range(2000) %}{% set a.c = cycler(a.c, a) %}{% set a.n = namespace(p=a.n) %}{% endfor %}{{ a }}
            """
        #expect(JinjaLimitsTests.reason(source) == nil)
    }

    @Test("Random bytes and mutated templates never crash", arguments: 0..<8)
    func mutations(seed: Int) throws {
        let cases = try #require(try JinjaCasesTests.fixture()["cases"]?.arrayValue)
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        for _ in 0..<150 {
            var source = Array((cases[next(cases.count)]["template"]?.stringValue ?? "").unicodeScalars)
            let other = Array((cases[next(cases.count)]["template"]?.stringValue ?? "").unicodeScalars)
            for _ in 0..<(1 + next(4)) where !source.isEmpty {
                let place = next(source.count)
                switch next(3) {
                case 0: source.remove(at: place)
                case 1: source.insert(contentsOf: other.dropFirst(next(other.count + 1)).prefix(next(9)), at: place)
                default: source[place] = "{}%()[]'\"|.,~-+*/ 09ax\n".unicodeScalars.randomElement(at: next(24))
                }
            }
            let text = String(String.UnicodeScalarView(source))
            _ = JinjaLimitsTests.reason(text, limits: JinjaLimits(steps: 20_000))
        }
    }

    /// Runs something on a thread of two megabytes, less than any thread of the server has.
    static func onSmallStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: body()) }
            thread.stackSize = 2 << 20
            thread.start()
        }
    }
}

extension String.UnicodeScalarView {
    /// The character at a place, wrapping around.
    fileprivate func randomElement(at place: Int) -> Unicode.Scalar {
        self[index(startIndex, offsetBy: place % count)]
    }
}
