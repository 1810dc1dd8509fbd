// The shipped hardware, hardware as people write it, prices, and a user's own files.

import CServeCore
import CServeCost
import Testing

/// The members of a node.
private func node(_ accelerator: String, _ links: String) -> String {
    #""name": "n", "accelerator": "\#(accelerator)", "count": 1, "interconnect": {"kind": "\#(links)", "#
        + #""link": {"latency_s": 0, "bandwidth_bytes_per_s": 1}}"#
}

@Suite struct HardwareCatalogTests {
    let catalog: HardwareCatalog

    init() throws { catalog = try ShippedCatalogs.hardware() }

    @Test("the accelerators of the field are known, each number with a source and a date")
    func accelerators() throws {
        for name in [
            "t4", "l4", "a10", "a10g", "a30", "a100-40", "a100-80", "h100", "h200", "b200", "l40s", "rtx3090",
            "rtx4090",
            "rtx-pro-6000", "v100-16", "zen4-2c",
        ] {
            let one = try catalog.requireAccelerator(name)
            let source = try #require(one.provenance["*"])
            #expect(!source.source.isEmpty && source.date.hasPrefix("20"), "\(name)")
            #expect(one.memoryBytes > 10 << 30 && one.memoryBandwidth > 1e10)
        }
        // Origin: the seed text: 5.2 times the bandwidth of an L4.
        let ratio = try catalog.requireAccelerator("a100").memoryBandwidth
        #expect(try abs(ratio / catalog.requireAccelerator("l4").memoryBandwidth - 5.2) < 0.05)
        #expect(try catalog.requireAccelerator("t4").peaks[.bfloat16] == nil)
    }

    @Test(
        "accelerators are found by the names that clusters, tables and people use",
        arguments: [
            ("A100", "a100-40"), ("NVIDIA-A100-SXM4-80GB", "a100-80"), ("A100-SXM4-80GB", "a100-80"),
            ("nvidia-l4", "l4"), ("RTX 4090 24GB", "rtx4090"), ("H100 80GB HBM3", "h100"), ("h200_sxm", "h200"),
            ("nvidia-tesla-t4", "t4"), ("cpu", "zen4-2c"), ("3090", "rtx3090"),
        ])
    func aliases(typed: String, name: String) {
        #expect(catalog.accelerator(named: typed)?.name == name)
    }

    @Test(
        "hardware is read as people write it",
        arguments: [
            ("l4", "1xl4", 1, 1, Interconnect.Kind.none), ("4xL4", "4xl4", 1, 4, .pcieHost),
            ("4xl4:pcie-p2p", "4xl4", 1, 4, .pciePeer), ("2xa100-80", "2xa100-80", 1, 2, .nvswitch),
            ("16xl4", "2x(8xl4)", 2, 8, .pcieHost), ("2x(4xl4)", "2x(4xl4)", 2, 4, .pcieHost),
            ("g6.12xlarge", "g6.12xlarge", 1, 4, .pcieHost), ("2xg6.12xlarge", "2x(g6.12xlarge)", 2, 4, .pcieHost),
            ("2x(g6.12xlarge)", "2x(g6.12xlarge)", 2, 4, .pcieHost),
            ("aws/p5.48xlarge", "p5.48xlarge", 1, 8, .nvswitch),
            ("n1-standard-32+4xT4", "n1-standard-32+4xT4", 1, 4, .pcieHost),
            ("Standard_NC96ads_A100_v4", "Standard_NC96ads_A100_v4", 1, 4, .nvlinkPairs),
        ])
    func choices(text: String, name: String, nodes: Int, perNode: Int, links: Interconnect.Kind) throws {
        let choice = try catalog.choose(text)
        #expect(choice.name == name && choice.nodes == nodes && choice.node.count == perNode)
        #expect(choice.node.interconnect.kind == links)
        #expect(choice.accelerators == nodes * perNode)
    }

    @Test(
        "what names no hardware is refused with the choices",
        arguments: [
            ("", "is empty"), ("4xl5", "Near: l4"), ("0xl4", "not a count"), ("2x(4xl4", "not closed"),
            ("9xl4", "8 l4 at most"), ("4xl4:nvswitch", "pcie-host, pcie-p2p"), ("4xl4:x", "pcie-host, pcie-p2p"),
            ("g6.13xlarge", "Near: g6.12xlarge"), ("tpu", "Accelerators: t4, l4"),
        ])
    func refusals(text: String, hint: String) {
        do {
            _ = try catalog.choose(text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.description.contains(hint), "\(error)")
        }
    }

    @Test("the cheapest rental combines whole instances of one provider")
    func rentals() throws {
        // Origin: list prices of 2026: g2-standard-4 0.7068 (GCP), g6.xlarge 0.8048 and g6.12xlarge 4.6016 (AWS).
        #expect(catalog.cheapest("l4", count: 1)?.name == "g2-standard-4")
        let aws = try #require(catalog.cheapest("l4", count: 4, perNode: 4, provider: "aws"))
        #expect(aws.name == "g6.12xlarge" && aws.usdPerHour == 4.6016 && aws.accelerators == 4)
        let apart = try #require(catalog.cheapest("l4", count: 4, provider: "aws"))
        #expect(apart.name == "4x(g6.xlarge)" && abs(apart.usdPerHour - 4 * 0.8048) < 1e-9)
        // Three at two a node: a node's third and fourth accelerator serve the second pair.
        let pairs = try #require(catalog.cheapest("l4", count: 6, perNode: 2, provider: "aws"))
        #expect(pairs.accelerators >= 6)
        #expect(catalog.cheapest("rtx4090", count: 1) == nil)
        #expect(catalog.cheapest("l4", count: 1, region: "us-east-1")?.provider == "aws")
    }

    @Test("no rental is dearer than every way of filling with one instance")
    func rentalsAreCheapest() throws {
        for accelerator in catalog.accelerators {
            for count in [1, 2, 3, 4, 5, 7, 8, 12, 16] {
                let single = catalog.nodes.filter { $0.accelerator == accelerator.name }.compactMap { node in
                    node.usdPerHour.map { $0 * Double((count + node.count - 1) / node.count) }
                }.min()
                let found = catalog.cheapest(accelerator.name, count: count)
                #expect((found == nil) == (single == nil))
                guard let found, let single else { continue }
                #expect(found.usdPerHour <= single + 1e-9 && found.accelerators >= count)
                let sum = found.items.reduce(0) { $0 + Double($1.count) * ($1.node.usdPerHour ?? 0) }
                #expect(abs(sum - found.usdPerHour) < 1e-9)
            }
        }
    }

    @Test("a user's price replaces the list's, per accelerator or per instance")
    func prices() throws {
        var own = catalog
        try own.setPrice("l4=0.5")
        #expect(own.cheapest("l4", count: 4)?.usdPerHour == 2)
        #expect(try own.choose("4xl4").usdPerHour == 2)
        try own.setPrice("g5.12xlarge=3.9")
        #expect(try own.choose("2x(g5.12xlarge)").usdPerHour == 7.8)
        for text in ["l4", "l4=", "l4=-1", "l4=nan", "=3"] {
            #expect(throws: CatalogError.self, "\(text)") { try own.setPrice(text) }
        }
        #expect(throws: CatalogError.self) { try own.setPrice("l9=1") }
    }

    @Test("a user's file changes the fields that it gives and adds what is new")
    func ownFile() throws {
        var own = catalog
        try own.add(
            CatalogFile(
                name: "mine.json",
                bytes: Array(
                    #"""
                    {"schema": "cserve-hardware/1",
                     "accelerators": [
                      {"name": "l4", "memory_bandwidth_bytes_per_s": 2.9e11},
                      {"name": "my-gpu", "title": "Mine", "architecture": "ada", "memory_bytes": 17179869184,
                       "memory_bandwidth_bytes_per_s": 5e11, "peak_ops_per_s": {"float16": 1e14}}],
                     "nodes": [
                      {"name": "box", "accelerator": "my-gpu", "count": 2, "usd_per_hour": 1.5,
                       "interconnect": {"kind": "pcie-p2p", "link": {"latency_s": 1e-5, "bandwidth_bytes_per_s": 2e10}}},
                      {"name": "g6.12xlarge", "usd_per_hour": 3.2}]}
                    """#.utf8)))
        let l4 = try own.requireAccelerator("l4")
        let listed = try catalog.requireAccelerator("l4")
        #expect(l4.memoryBandwidth == 2.9e11 && l4.memoryBytes == listed.memoryBytes)
        #expect(own.accelerators.count == catalog.accelerators.count + 1)
        #expect(try own.choose("box").usdPerHour == 1.5)
        #expect(try own.choose("g6.12xlarge").usdPerHour == 3.2)
        #expect(own.cheapest("my-gpu", count: 2)?.provider == "own")
        #expect(try own.choose("4xmy-gpu").node.interconnect.kind == .pcieHost)
    }

    @Test(
        "a broken file names its field",
        arguments: [
            ("{", "not a JSON object"), (#"{"schema": "2"}"#, "cserve-hardware/1"), ("{}", #"lacks "schema""#),
            (#""acelerators": []"#, #""acelerators" is not a field"#),
            (#""accelerators": [{"title": "x"}]"#, #"lacks "accelerators[0].name""#),
            (#""accelerators": [{"name": "new"}]"#, #"lacks "accelerators[0].title""#),
            (#""accelerators": [{"name": "l4", "memory_gb": 24}]"#, "memory_gb"),
            (#""accelerators": [{"name": "l4", "memory_bytes": -1}]"#, "a whole number above 0"),
            (#""accelerators": [{"name": "l4", "peak_ops_per_s": {"fp4": 1}}]"#, "peak_ops_per_s.fp4"),
            (#""nodes": [{\#(node("l9", "none"))}]"#, #""nodes[0].accelerator" names "l9""#),
            (#""nodes": [{\#(node("l4", "usb"))}]"#, "pcie-host"),
        ])
    func broken(text: String, hint: String) {
        var own = catalog
        let whole = text.hasPrefix("{") ? text : #"{"schema": "cserve-hardware/1", \#(text)}"#
        do {
            try own.add(CatalogFile(name: "mine.json", bytes: Array(whole.utf8)))
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.description.contains(hint), "\(error)")
            #expect(own == catalog)
        }
    }
}
