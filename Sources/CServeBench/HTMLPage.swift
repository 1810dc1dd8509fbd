// One page in one file: no scripts, no fonts or styles from elsewhere, and no text that becomes markup.
import CServeCore

/// A page under construction.
struct HTMLPage {
    private var body: String = ""
    private let title: String

    init(title: String) {
        self.title = title
        body = "<h1>\(HTMLPage.escaped(title))</h1>\n"
    }

    mutating func heading(_ text: String) { body += "<h2>\(HTMLPage.escaped(text))</h2>\n" }
    mutating func paragraph(_ text: String) { body += "<p>\(HTMLPage.escaped(text))</p>\n" }

    /// Names with large figures, side by side where there is room.
    mutating func figures(_ all: [(name: String, value: String)]) {
        body += "<dl class=\"figures\">\n"
        for one in all {
            body += "<div><dt>\(HTMLPage.escaped(one.name))</dt><dd>\(HTMLPage.escaped(one.value))</dd></div>\n"
        }
        body += "</dl>\n"
    }

    /// A table that scrolls sideways on a narrow screen.
    mutating func table(_ table: TextTable) {
        func cells(_ row: [String], _ tag: String) -> String {
            row.enumerated().map { (column: Int, cell: String) -> String in
                let side: String = table.right.contains(column) ? " class=\"right\"" : ""
                return "<\(tag)\(side)>\(HTMLPage.escaped(cell))</\(tag)>"
            }.joined()
        }
        guard let head = table.rows.first else { return }
        body += "<div class=\"wide\"><table>\n<thead><tr>\(cells(head, "th"))</tr></thead>\n<tbody>\n"
        for row in table.rows.dropFirst() { body += "<tr>\(cells(row, "td"))</tr>\n" }
        body += "</tbody>\n</table></div>\n"
    }

    mutating func chart(_ chart: SVGChart) { body += chart.svg + "\n" }

    /// A long text that opens on demand.
    mutating func details(_ summary: String, _ text: String) {
        body += "<details><summary>\(HTMLPage.escaped(summary))</summary>"
        body += "<pre>\(HTMLPage.escaped(text))</pre></details>\n"
    }

    /// The file. The policy forbids whatever could be fetched or run, should text ever become markup after all.
    var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(HTMLPage.escaped(title))</title>
        <style>
        \(HTMLPage.style)
        </style>
        </head>
        <body>
        \(body)</body>
        </html>

        """
    }

    /// Text as text: in elements and in quoted attributes; control characters become blanks.
    static func escaped(_ text: String) -> String {
        var escaped: String = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n": escaped += "\n"
            default: escaped.unicodeScalars.append(isPlain(scalar) ? scalar : " ")
            }
        }
        return escaped
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format: false
        default: true
        }
    }

    /// Colours of series: Okabe and Ito's palette, which colour-blind readers can tell apart; lighter ones on dark.
    private static let style: String = """
        :root { color-scheme: light dark; --ink: #1b1f24; --faint: #59636e; --line: #d5dae0; --page: #ffffff; \
        --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #b0568d; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --faint: #9aa4af; --line: #363d46; --page: #14171b; \
        --s0: #56b4e9; --s1: #e69f00; --s2: #37c89b; --s3: #dd94bf; } }
        body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--page); color: var(--ink); \
        font: 16px/1.45 system-ui, sans-serif; }
        h1 { font-size: 1.35rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
        p { overflow-wrap: anywhere; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; }
        .figures div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; }
        dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
        .wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; }
        th { color: var(--faint); font-weight: 600; } .right { text-align: right; }
        svg { display: block; width: 100%; height: auto; margin: 1rem 0; }
        svg text { fill: var(--faint); font: 13px system-ui, sans-serif; paint-order: stroke; stroke: var(--page); \
        stroke-width: 3px; } svg .name { fill: var(--ink); font-weight: 600; }
        svg .axis { stroke: var(--line); } svg .limit { stroke: var(--ink); stroke-dasharray: 5 4; }
        .line { fill: none; stroke-width: 2; } .c0 { stroke: var(--s0); } .c1 { stroke: var(--s1); } \
        .c2 { stroke: var(--s2); } .c3 { stroke: var(--s3); }
        .f0 { fill: var(--s0); } .f1 { fill: var(--s1); } .f2 { fill: var(--s2); } .f3 { fill: var(--s3); }
        svg .k0 { fill: var(--s0); } svg .k1 { fill: var(--s1); } svg .k2 { fill: var(--s2); } svg .k3 { fill: var(--s3); }
        pre { overflow-x: auto; background: color-mix(in srgb, var(--line) 35%, transparent); padding: .7rem; }
        """
}
