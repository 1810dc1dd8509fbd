// What several loads of one server tell together: where it saturates, where its knee is, what it carries within targets.
import CServeCore

/// The outcome of a sweep.
public struct LoadCurve: Hashable, Codable, Sendable {
    /// The form that ``json`` has.
    public static let schema: String = "cserve-bench-sweep/1"

    /// The form.
    public var schema: String = LoadCurve.schema
    /// The server.
    public var target: String
    /// The model.
    public var model: String
    /// What was demanded.
    public var objective: ServiceLevelObjective?
    /// The loads by rising rate, one client first.
    public var points: [LoadPoint]
    /// The highest rate at which answers keep up, and the lowest above it at which they do not.
    public var saturation: RateEdge
    /// The most requests a second that were answered.
    public var saturationRequestRate: Double
    /// The most tokens a second that were generated.
    public var saturationTokenRate: Double
    /// The load at which throughput over latency is largest: below it the server idles, above it requests queue.
    ///
    /// Source: Kleinrock, "Power and deterministic rules of thumb for probabilistic problems in computer communications", ICC
    /// 1979. Latency is the mean E2E; loads that failed do not count.
    public var knee: Double?
    /// The highest rate that keeps the targets, and the lowest above it that does not; without targets as ``saturation``.
    public var withinTargets: RateEdge

    /// Judges a search's runs.
    public init(_ search: LoadSearch, target: String, model: String, objective: ServiceLevelObjective?) {
        self.target = target
        self.model = model
        self.objective = objective
        points = search.points.sorted { LoadCurve.place($0) < LoadCurve.place($1) }
        saturation = search.saturation
        withinTargets = search.edge
        saturationRequestRate = points.map(\.requestRate).max() ?? 0
        saturationTokenRate = points.map(\.tokenRate).max() ?? 0
        let able: [LoadPoint] = points.filter { $0.e2e.mean > 0 && $0.failedShare <= LoadPoint.mostFailed }
        knee = able.filter { LoadCurve.place($0) > 0 }.max { LoadCurve.power($0) < LoadCurve.power($1) }
            .map(LoadCurve.place)
    }

    /// The rate, or 0 for clients.
    private static func place(_ point: LoadPoint) -> Double {
        if case .rate(let rate) = point.probe { rate } else { 0 }
    }

    private static func power(_ point: LoadPoint) -> Double { point.requestRate / point.e2e.mean }

    /// The file.
    public var json: JSONValue { (try? JSONValue(encoding: self)) ?? .null }

    /// JSON names carry the units.
    public enum CodingKeys: String, CodingKey {
        case schema
        case target
        case model
        case objective
        case points
        case saturation
        case saturationRequestRate = "saturation_requests_per_s"
        case saturationTokenRate = "saturation_output_tokens_per_s"
        case knee = "knee_per_s"
        case withinTargets = "within_targets"
    }
}

extension LoadCurve {
    /// For a terminal: the loads, and what follows.
    public var text: String {
        ([BenchFailureCount.plain("\(model) at \(target)"), table.text] + [findings.joined(separator: "\n")])
            .joined(separator: "\n\n")
    }

    var table: TextTable {
        var table = TextTable(
            [
                "load", "served/s", "out tok/s", "ttft p50", "ttft p99", "tpot p50", "tpot p99", "e2e p50", "e2e p99",
                "good", "",
            ], right: Set(0...9))
        for point in points { table.add(Self.row(point, hasTargets: objective != nil)) }
        return table
    }

    private static func row(_ point: LoadPoint, hasTargets: Bool) -> [String] {
        let load: String =
            switch point.probe {
            case .rate(let rate): "\(FigureText.figure(rate))/s"
            case .clients(let clients): clients == 1 ? "1 client" : "\(clients) clients"
            }
        let rates: [Double] = [point.requestRate, point.tokenRate]
        let latencies: [Double] = [
            point.ttft.p50, point.ttft.p99, point.tpot.p50, point.tpot.p99, point.e2e.p50, point.e2e.p99,
        ]
        let good: String = hasTargets ? BenchReportText.percent(point.goodShare) : "-"
        return [load] + (rates + latencies).map { FigureText.figure($0) } + [good, remark(point)]
    }

    private static func remark(_ point: LoadPoint) -> String {
        if point.failedShare > LoadPoint.mostFailed { return "\(BenchReportText.percent(point.failedShare)) failed" }
        if !point.follows { return "saturated" }
        return point.missed ?? ""
    }

    var findings: [String] {
        var lines: [String] = [
            "Saturation: \(FigureText.figure(saturationRequestRate)) requests/s, "
                + "\(FigureText.figure(saturationTokenRate)) output tokens/s; answers keep pace \(Self.words(saturation))."
        ]
        if let knee { lines.append("Knee: \(FigureText.figure(knee)) requests/s (throughput over mean latency).") }
        if let objective, !objective.targets.isEmpty {
            lines.append("Within \(objective.description): \(Self.words(withinTargets)).")
        }
        return lines
    }

    private static func words(_ edge: RateEdge) -> String {
        switch (edge.passing, edge.failing) {
        case (let low?, let high?): "up to \(FigureText.figure(low))/s, not at \(FigureText.figure(high))/s"
        case (let low?, nil): "up to \(FigureText.figure(low))/s, the highest rate tried"
        case (nil, let high?): "at no rate tried, down to \(FigureText.figure(high))/s"
        case (nil, nil): "at no rate tried"
        }
    }

    /// The curve as one HTML file.
    public var html: String {
        var page = HTMLPage(title: "\(model) at \(target): loads")
        page.figures([
            ("saturation, requests/s", FigureText.figure(saturationRequestRate)),
            ("saturation, output tokens/s", FigureText.figure(saturationTokenRate)),
            ("knee, requests/s", knee.map { FigureText.figure($0) } ?? "-"),
            ("within targets, requests/s", withinTargets.passing.map { FigureText.figure($0) } ?? "-"),
        ])
        for finding in findings { page.paragraph(finding) }
        page.table(table)
        page.chart(chart("Time to first token over throughput", .ttft, \.ttft))
        page.chart(chart("Time per output token over throughput", .tpot, \.tpot))
        page.chart(chart("End-to-end latency over throughput", .e2e, \.e2e))
        return page.text
    }

    private func chart(
        _ title: String, _ metric: LatencyMetric, _ latency: (LoadPoint) -> LatencySummary
    ) -> SVGChart {
        let sorted: [LoadPoint] = points.sorted { $0.tokenRate < $1.tokenRate }
        func series(_ name: String, _ value: (LatencySummary) -> Double) -> SVGChart.Series {
            SVGChart.Series(name: name, points: sorted.map { ($0.tokenRate, value(latency($0))) })
        }
        let limits: [(name: String, y: Double)] = (objective?.targets ?? []).filter { $0.metric == metric }
            .map { ($0.description, Double($0.limit) / 1e6) }
        return SVGChart(
            title: title, xName: "output tokens a second", yName: "ms",
            series: [series("p50", \.p50), series("p99", \.p99)], limits: limits)
    }
}
