import CServeCore
import Testing

@Suite("CSV tables")
struct CSVTableTests {
    @Test("quotes, doubled quotes, CRLF and line breaks within quotes are read as RFC 4180 writes them")
    func quotes() throws {
        let text = "\u{FEFF}name, value\r\n\"a, \"\"b\"\"\",1\r\n\r\n\"two\nlines\",2.5"
        let table = try CSVTable(parsing: Array(text.utf8))
        #expect(table.columns == ["name", "value"])
        #expect(table.rows.map { table.text($0, "name") } == ["a, \"b\"", "two\nlines"])
        #expect(try table.rows.map { try table.number($0, "value") } == [1, 2.5])
        #expect(table.rows.map(\.line) == [2, 4])
        #expect(table.text(table.rows[0], "absent").isEmpty)
    }

    @Test(
        "a broken table names its line",
        arguments: [
            ("", CSVError.empty, "The table is empty: its first line must name the columns."),
            ("a,b\n1,\"2", CSVError.openQuote(line: 2), "Line 2: a quote is opened and never closed."),
            (
                "a,b\n1,2\n3", CSVError.cellCount(line: 3, cells: 1, columns: 2),
                "Line 3 has 1 cells, but the header names 2 columns."
            ),
            (
                "a,c\n1,2", CSVError.missingColumn("b", columns: ["a", "c"]),
                "There is no column \"b\"; the columns are a, c."
            ),
            (
                "a,b\n1,x", CSVError.notANumber(line: 2, column: "b", text: "x"),
                "Line 2, column \"b\": \"x\" is not a number that can be used here."
            ),
        ])
    func errors(text: String, error: CSVError, message: String) {
        #expect(throws: error) {
            let table = try CSVTable(parsing: Array(text.utf8))
            for row in table.rows { _ = try table.number(row, "b") }
        }
        #expect(error.description == message)
    }

    @Test("whole numbers are whole")
    func integers() throws {
        let table = try CSVTable(parsing: Array("n\n7\n7.0\n7.5\nnan".utf8))
        #expect(try table.integer(table.rows[0], "n") == 7)
        #expect(try table.integer(table.rows[1], "n") == 7)
        #expect(throws: CSVError.self) { try table.integer(table.rows[2], "n") }
        #expect(throws: CSVError.self) { try table.number(table.rows[3], "n") }
    }
}
