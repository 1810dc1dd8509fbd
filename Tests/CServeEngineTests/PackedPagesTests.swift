// Tests that a checkpoint's pages do not stay in memory beside the weights that were packed from them.

import CServeCore
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

        /// Blocks of [layer][block]: of 2 layers, 64 blocks and 16 kB each, a quarter of the bytes is the first 16 of both.
        @Test("A cache's first blocks have memory behind them before they are used, and keep their bytes")
        func populatedCache() throws {
            let plan = KVCachePlan(
                layers: 2, blocks: 64, blockSize: 32, kvHeads: 2, headDim: 64, format: .bfloat16)
            let memory = try HostMemory("a cache", bytes: plan.bytes)
            madvise(memory.base, plan.bytes, 15)  // MADV_NOHUGEPAGE: pages are looked at
            let cache = PagedKVCache(memory, plan: plan)
            cache.keys(layer: 1, block: 3, head: 1).storeBytes(of: 7, as: Int32.self)
            cache.populate(bytes: plan.bytes / 4)
            for layer in 0..<2 {
                #expect(try isResident(cache.keys(layer: layer, block: 15, head: 1)))
                #expect(try !isResident(cache.keys(layer: layer, block: 40, head: 0)))
            }
            #expect(cache.keys(layer: 1, block: 3, head: 1).load(as: Int32.self) == 7)
        }

        /// Whether the page of an address is in memory.
        private func isResident(_ address: UnsafeMutableRawPointer) throws -> Bool {
            let page = Int(getpagesize())
            let start = UnsafeMutableRawPointer(bitPattern: Int(bitPattern: address) / page * page)
            var state: UInt8 = 0
            try #require(mincore(start, page, &state) == 0)
            return state & 1 == 1
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
