// Pages stand alone, stay small, and show hostile text as text.
import CServeCore
import Testing

@testable import CServeBench

@Suite("Pages of a benchmark")
struct BenchPageTests {
    private func page(_ run: BenchRun) throws -> String {
        let slo = try ServiceLevelObjective(parsing: "ttft:p50<45ms")
        return BenchPage(
            try BenchResult(run, slo: slo, keepsRequests: false, generator: "cserve <1>"), run: run
        ).html
    }

    @Test("Text of users and servers is never markup")
    func hostile() throws {
        let script: String = "<script>alert(1)</script>\"'&\u{0}\u{202E}]]>"
        var requests = eightRequests().requests
        requests[0].failure = .errorEvent(script)
        var hostile: BenchRun = run(requests, model: script)
        hostile.target = "http://x/\" onload=\"alert(2)"
        hostile.workload = #"{"name":"</title><img src=x onerror=alert(3)>"}"#
        let html: String = try page(hostile)
        #expect(!html.contains("<script") && !html.contains("<img") && !html.contains("onload=\""))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;  ]]&gt;"))
        #expect(html.components(of: "</title>") == 2 && html.components(of: "</body>") == 2)
    }

    @Test("A page stands alone: nothing is fetched, nothing runs, and a phone can read it")
    func alone() throws {
        let html: String = try page(eightRequests())
        for word in ["src=", "href=", "url(", "@import", "<script", "<link", "javascript:"] {
            #expect(!html.contains(word), "\(word)")
        }
        #expect(html.contains("default-src 'none'"))
        #expect(html.contains("name=\"viewport\"") && html.contains("prefers-color-scheme: dark"))
        #expect(html.components(of: "<svg") == 8 && html.components(of: "</svg>") == 8)
    }

    @Test("A page's size does not grow with the requests")
    func bounded() throws {
        let many = run((0..<20_000).map { answered($0, due: Double($0), ttft: Double($0 % 97) + 1, gaps: [3, 4, 5]) })
        let size: Int = try page(many).utf8.count
        #expect(size < 400_000, "\(size)")
    }

    @Test("A run without answers still has a page")
    func empty() throws {
        let html: String = try page(run([failed(0, due: 0, after: 5, .timeout)]))
        #expect(html.contains("there is nothing to draw") && html.contains("timeout"))
        #expect(try page(run([])).contains("</html>"))
    }

    @Test("Charts keep every number finite and inside")
    func chart() {
        let chart = SVGChart(
            title: "a<b", xName: "x", yName: "y",
            series: [SVGChart.Series(name: "s", points: [(0, 1), (.nan, 2), (3, .infinity), (10, 4)])],
            limits: [("far", 1000), ("near", 3)])
        let svg: String = chart.svg
        #expect(svg.contains("a&lt;b") && !svg.contains("nan") && !svg.contains("inf"))
        #expect(svg.contains("near") && !svg.contains("far"))
        // Between 258 (0) and 44 (4.2): 1 lies 51 above the axis, 4 lies 203.8 above it.
        #expect(svg.contains("points=\"62,207 706,54.2\""))
    }

    @Test("Ticks are round numbers, about five of them")
    func ticks() {
        #expect(SVGChart.ticks(100) == [0, 20, 40, 60, 80, 100])
        #expect(SVGChart.ticks(7) == [0, 2, 4, 6])
        #expect(SVGChart.ticks(0.3) == [0, 0.05, 0.1, 0.15000000000000002, 0.2, 0.25, 0.30000000000000004])
        for most in [0.0013, 1, 9.99, 11, 523, 86_400] { #expect((2...7).contains(SVGChart.ticks(most).count)) }
    }
}

extension String {
    fileprivate func components(of mark: String) -> Int {
        var count: Int = 1
        var rest: Substring = self[...]
        while let place = rest.firstRange(of: mark) {
            count += 1
            rest = rest[place.upperBound...]
        }
        return count
    }
}
