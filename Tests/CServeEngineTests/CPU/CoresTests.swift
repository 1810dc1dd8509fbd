// Which cores are computed on, on machines of the tests' own making: a folder that looks like /sys.

import CKernels
import Foundation
import Testing

@Suite struct CoresTests {
    /// Four cores of two hardware threads on two nodes, numbered as Linux does: siblings are i and i + 4.
    private func machine(_ files: [String: String] = [:]) throws -> URL {
        let root = FileManager.default.temporaryDirectory.appending(path: "cores-\(UUID().uuidString)")
        for cpu in 0..<8 {
            let folder = root.appending(path: "devices/system/cpu/cpu\(cpu)")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "topology"), withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                at: folder.appending(path: "node\(cpu % 4 / 2)"), withIntermediateDirectories: true)
            try Data("\(cpu % 4),\(cpu % 4 + 4)\n".utf8)
                .write(to: folder.appending(path: "topology/thread_siblings_list"))
        }
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return root
    }

    private func cores(_ root: URL, allowed: [Int32]) -> [Int32] {
        var found = [Int32](repeating: -1, count: allowed.count)
        let count = cs_cores_of(root.path, allowed, Int32(allowed.count), &found)
        return Array(found.prefix(Int(count)))
    }

    @Test("One hardware thread of each core, the fuller node first")
    func siblings() throws {
        let root = try machine()
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(cores(root, allowed: Array(0..<8)) == [0, 1, 2, 3])
        #expect(cores(root, allowed: [1, 2, 3]) == [2, 3, 1])
        #expect(cores(root, allowed: [5, 1, 6, 7]) == [6, 7, 5])
    }

    @Test(
        "A control group's share of time is rounded up",
        arguments: [
            ("fs/cgroup/cpu.max", "max 100000\n", 4), ("fs/cgroup/cpu.max", "150000 100000\n", 2),
            ("fs/cgroup/cpu.max", "50000 100000\n", 1), ("fs/cgroup/cpu.max", "900000 100000\n", 4),
            ("fs/cgroup/cpu.max", "nonsense\n", 4),
        ])
    func quota(_ path: String, _ text: String, _ expected: Int) throws {
        let root = try machine([path: text])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(cores(root, allowed: Array(0..<8)).count == expected)
    }

    @Test("Control groups of version 1 are read too", arguments: [("-1", 4), ("300000", 3)])
    func firstVersion(_ quota: String, _ expected: Int) throws {
        let folder = "fs/cgroup/cpu/"
        let root = try machine([folder + "cpu.cfs_quota_us": quota, folder + "cpu.cfs_period_us": "100000"])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(cores(root, allowed: Array(0..<8)).count == expected)
    }

    @Test("A machine that says nothing has the cores that it allows, and this one has some")
    func plain() {
        #expect(cores(URL(filePath: "/nowhere"), allowed: [3, 9]) == [3, 9])
        #expect(cs_core_count() >= 1)
    }

    @Test("Workers can be kept on their cores")
    func pinning() throws {
        var found = [Int32](repeating: 0, count: 1024)
        let count = cs_cores(&found, 1024)
        let pool = try #require(cs_pool_create(count))
        defer { cs_pool_destroy(pool) }
        #if os(Linux)
            #expect(cs_pool_pin(pool, found))
            // A core that no machine has.
            if count > 1 { #expect(!cs_pool_pin(pool, [0, 1 << 20])) }
        #endif
    }
}
