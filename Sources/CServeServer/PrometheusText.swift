// Prometheus' text format 0.0.4: families with help, type and samples.

/// Builds one exposition.
struct PrometheusText: Sendable {
    /// A label and its value.
    typealias Label = (name: String, value: String)

    static let mediaType: String = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text: String = ""
    /// Labels of every sample.
    let common: [Label]

    init(common: [Label] = []) {
        self.common = common
        text.reserveCapacity(1 << 15)
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double, _ labels: [Label] = []) {
        header(name, help, "gauge")
        sample(name, common + labels, value)
    }

    /// A counter; its samples carry the `_total` that the name lacks.
    mutating func counter(_ name: String, _ help: String, _ value: Int, _ labels: [Label] = []) {
        counter(name, help, [(labels, value)])
    }

    mutating func counter(_ name: String, _ help: String, _ samples: [([Label], Int)]) {
        header(name + "_total", help, "counter")
        for (labels, value) in samples { sample(name + "_total", common + labels, Double(value)) }
    }

    /// A counter that is not a whole number.
    mutating func counter(_ name: String, _ help: String, fraction value: Double) {
        header(name + "_total", help, "counter")
        sample(name + "_total", common, value)
    }

    mutating func gauges(_ name: String, _ help: String, _ samples: [([Label], Double)]) {
        header(name, help, "gauge")
        for (labels, value) in samples { sample(name, common + labels, value) }
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        histograms(name, help, [([], histogram)])
    }

    mutating func histograms(_ name: String, _ help: String, _ series: [([Label], Histogram)]) {
        header(name, help, "histogram")
        for (labels, histogram) in series {
            var cumulative: Int = 0
            for (index, count) in histogram.counts.enumerated() {
                cumulative += count
                let edge: String =
                    index < histogram.edges.count ? PrometheusText.number(histogram.edges[index]) : "+Inf"
                sample(name + "_bucket", common + labels + [("le", edge)], Double(cumulative))
            }
            sample(name + "_sum", common + labels, histogram.sum)
            sample(name + "_count", common + labels, Double(cumulative))
        }
    }

    private mutating func header(_ name: String, _ help: String, _ type: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [Label], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs: [String] = labels.map { "\($0.name)=\"\(PrometheusText.escape($0.value))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " " + PrometheusText.number(value) + "\n"
    }

    /// Python's spelling: whole numbers end in `.0`.
    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        return value.isNaN ? "NaN" : String(value)
    }

    static func escape(_ value: String) -> String {
        var escaped: String = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
