// Charts as inline SVG: lines, points and bars over two axes.
import CServeCore

/// A chart.
struct SVGChart {
    /// How a series is drawn.
    enum Mark {
        case line
        case points
        /// Each bar reaches from its x to the next one's.
        case bars
    }

    /// What is drawn in one colour.
    struct Series {
        var name: String
        var mark: Mark = .line
        var points: [(x: Double, y: Double)]
    }

    var title: String
    var xName: String
    var yName: String
    var series: [Series]
    /// Lines across, with their names.
    var limits: [(name: String, y: Double)] = []
    /// Where the x axis ends; nil: at the last point.
    var xEnd: Double?

    private static let width: Double = 720
    private static let height: Double = 300
    private static let left: Double = 62
    private static let right: Double = 14
    private static let top: Double = 44
    private static let bottom: Double = 42

    private struct Scale {
        var mostX: Double
        var mostY: Double
        func x(_ value: Double) -> Double {
            SVGChart.left + min(max(0, value), mostX) / mostX * (SVGChart.width - SVGChart.left - SVGChart.right)
        }
        func y(_ value: Double) -> Double {
            SVGChart.height - SVGChart.bottom
                - min(max(0, value), mostY) / mostY * (SVGChart.height - SVGChart.top - SVGChart.bottom)
        }
    }

    /// The element.
    var svg: String {
        let shown: [(x: Double, y: Double)] = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        let mostX: Double = xEnd ?? shown.map(\.x).max() ?? 0
        let highest: Double = shown.map(\.y).max() ?? 0
        let most: Double = max(highest, limits.map(\.y).filter { $0 < highest * 3 }.max() ?? 0)
        guard mostX > 0, most > 0 else { return "<p>\(HTMLPage.escaped(title)): there is nothing to draw.</p>" }
        let scale = Scale(mostX: mostX, mostY: most * 1.05)
        let parts: [String] = [head(scale)] + axes(scale) + limitLines(scale) + series.indices.map { draw($0, scale) }
        return parts.joined(separator: "\n") + "\n</svg>"
    }

    private func head(_ scale: Scale) -> String {
        let (width, height) = (Int(Self.width), Int(Self.height))
        let label: String = HTMLPage.escaped(title)
        var text: String = "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(label)\">"
        text += Self.text(0, 15, label, "class=\"name\"")
        var x: Double = 0
        for (place, one) in series.enumerated() where series.count > 1 {
            text += Self.text(x, 33, "■ " + HTMLPage.escaped(one.name), "class=\"k\(place % 4)\"")
            x += Double(one.name.count) * 8 + 40
        }
        return text
    }

    private func axes(_ scale: Scale) -> [String] {
        var lines: [String] = Self.ticks(scale.mostY).map { (tick: Double) -> String in
            let y: Double = scale.y(tick)
            return Self.rule(Self.left, y, Self.width - Self.right, y, "axis")
                + Self.text(Self.left - 6, y + 4, Self.tick(tick), "text-anchor=\"end\"")
        }
        lines += Self.ticks(scale.mostX).map {
            Self.text(scale.x($0), Self.height - 24, Self.tick($0), "text-anchor=\"middle\"")
        }
        let middle: Double = (Self.left + Self.width - Self.right) / 2
        lines.append(Self.text(middle, Self.height - 6, HTMLPage.escaped(xName), "text-anchor=\"middle\""))
        lines.append(Self.text(Self.width - Self.right, 15, HTMLPage.escaped(yName), "text-anchor=\"end\""))
        return lines
    }

    private func limitLines(_ scale: Scale) -> [String] {
        limits.filter { $0.y <= scale.mostY }.map { (limit) -> String in
            let y: Double = scale.y(limit.y)
            return Self.rule(Self.left, y, Self.width - Self.right, y, "limit")
                + Self.text(Self.width - Self.right, y - 4, HTMLPage.escaped(limit.name), "text-anchor=\"end\"")
        }
    }

    private func draw(_ place: Int, _ scale: Scale) -> String {
        let one: Series = series[place]
        let points = one.points.filter { $0.x.isFinite && $0.y.isFinite }
        switch one.mark {
        case .line:
            let path: String = points.map { "\(Self.number(scale.x($0.x))),\(Self.number(scale.y($0.y)))" }
                .joined(separator: " ")
            return "<polyline class=\"line c\(place % 4)\" points=\"\(path)\"/>"
        case .points:
            let dots: [String] = points.map {
                "<circle cx=\"\(Self.number(scale.x($0.x)))\" cy=\"\(Self.number(scale.y($0.y)))\" r=\"2.2\"/>"
            }
            return "<g class=\"f\(place % 4)\" fill-opacity=\"0.6\">\(dots.joined())</g>"
        case .bars:
            let bars: [String] = points.indices.map { (index: Int) -> String in
                let end: Double = index + 1 < points.count ? points[index + 1].x : scale.mostX
                let (x, y) = (scale.x(points[index].x), scale.y(points[index].y))
                let size: String =
                    "width=\"\(Self.number(max(0.5, scale.x(end) - x - 1)))\" "
                    + "height=\"\(Self.number(Self.height - Self.bottom - y))\""
                return "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" \(size)/>"
            }
            return "<g class=\"f\(place % 4)\">\(bars.joined())</g>"
        }
    }

    private static func text(_ x: Double, _ y: Double, _ escaped: String, _ attributes: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" \(attributes)>\(escaped)</text>"
    }

    private static func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ kind: String) -> String {
        "<line class=\"\(kind)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>"
    }

    /// A tenth of a pixel is enough.
    private static func number(_ value: Double) -> String {
        let rounded: Double = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    /// Whole numbers without a fraction.
    private static func tick(_ value: Double) -> String {
        value == value.rounded() && value < 1e6 ? "\(Int(value))" : FigureText.figure(value)
    }

    /// Round numbers from 0 up: about five of them, a 1, 2 or 5 with zeros apart.
    static func ticks(_ most: Double) -> [Double] {
        var unit: Double = 1
        while unit * 10 <= most { unit *= 10 }
        while unit > most, unit > 1e-12 { unit /= 10 }
        let steps: [Double] = [unit / 5, unit / 2, unit, unit * 2, unit * 5]
        let step: Double = steps.first { most / $0 <= 6 } ?? unit * 5
        return (0...Int(most / step + 1e-9)).map { Double($0) * step }
    }
}
