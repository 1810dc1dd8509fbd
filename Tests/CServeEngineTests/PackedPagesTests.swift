// Tests that a checkpoint's pages do not stay in memory beside the weights that were packed from them.

import Foundation
import Testing

@testable import CServeEngine

@Suite struct PackedPagesTests {
    #if os(Linux)
        /// Q8_0: two bytes of scale and 32 codes per block.
        @Test("A matrix of codes gives its file's pages back, and reads the same again")
        func pagesOfCodes() throws {
            let rows = 512
            let columns = 1024
            let url = FileManager.default.temporaryDirectory.appendingPathComponent("cserve-pages-\(UUID().uuidString)")
            let bytes: [UInt8] = (0..<(rows * columns / 32 * 34)).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }
            try Data(bytes).write(to: url)
            defer { try? FileManager.default.removeItem(at: url) }
            let file = try MappedFile(path: url.path)
            let type = try #require(GGUFType(8))
            let matrix = try #require(
                GGUFMatrix(type, bytes: file.bytes, columns: columns, order: .plain, mapping: file))
            let before = read(matrix)
            #expect(try resident(url.path) > bytes.count / 2)
            matrix.releasePages()
            #expect(try resident(url.path) <= 2 * Int(getpagesize()))
            #expect(read(matrix) == before)
        }

        private func read(_ matrix: GGUFMatrix) -> [UInt8] {
            let room = CodeRows(matrix.format, rows: matrix.rows, columns: matrix.columns)
            matrix.read(rows: 0..<matrix.rows, codes: room.codes, scales: room.scales, minimums: room.minimums)
            return Array(UnsafeBufferPointer(start: room.codes, count: matrix.rows * matrix.columns))
        }

        /// Bytes of a mapped file in this process' memory, as `/proc/self/smaps` counts them.
        private func resident(_ path: String) throws -> Int {
            let maps = try #require(try FileHandle(forReadingAtPath: "/proc/self/smaps")?.readToEnd())
            let lines = String(decoding: maps, as: UTF8.self).split(separator: "\n")
            let start = try #require(lines.firstIndex { $0.hasSuffix(path) })
            let line = try #require(lines[start...].first { $0.hasPrefix("Rss:") })
            return try #require(Int(line.split(separator: " ")[1])) * 1024
        }
    #endif
}
