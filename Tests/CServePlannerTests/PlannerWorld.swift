// A small world to plan in: two accelerators with prices, a small model, short requests.

import CServeCore
import CServeCost
import CServePlanner
import CServeWorkload

enum PlannerWorld {
    /// An A-like accelerator with much of everything, a B-like one with a third of it, and an old one without bfloat16.
    static let hardware = """
        {"schema": "cserve-hardware/1",
         "accelerators": [
          {"name": "big", "title": "Big", "architecture": "ampere", "memory_bytes": 4e9,
           "memory_bandwidth_bytes_per_s": 6e11,
           "peak_ops_per_s": {"float32": 1e13, "float16": 1e14, "bfloat16": 1e14},
           "host_link": {"latency_s": 1e-5, "bandwidth_bytes_per_s": 1.2e10},
           "provenance": {"*": {"source": "made up", "date": "2026-01-01"}}},
          {"name": "small", "title": "Small", "architecture": "ampere", "memory_bytes": 2e9,
           "memory_bandwidth_bytes_per_s": 2e11,
           "peak_ops_per_s": {"float32": 4e12, "float16": 3e13, "bfloat16": 3e13},
           "host_link": {"latency_s": 1e-5, "bandwidth_bytes_per_s": 1.2e10},
           "provenance": {"*": {"source": "made up", "date": "2026-01-01"}}}],
         "topologies": [],
         "nodes": [
          {"provider": "aws", "name": "b1", "accelerator": "big", "count": 1,
           "interconnect": {"kind": "none", "link": {"latency_s": 1e-5, "bandwidth_bytes_per_s": 1e10}},
           "usd_per_hour": 4.0, "region": "x", "provenance": {"*": {"source": "made up", "date": "2026-01-01"}}},
          {"provider": "aws", "name": "s1", "accelerator": "small", "count": 1,
           "interconnect": {"kind": "none", "link": {"latency_s": 1e-5, "bandwidth_bytes_per_s": 1e10}},
           "usd_per_hour": 1.0, "region": "x", "provenance": {"*": {"source": "made up", "date": "2026-01-01"}}},
          {"provider": "gcp", "name": "s1g", "accelerator": "small", "count": 1,
           "interconnect": {"kind": "none", "link": {"latency_s": 1e-5, "bandwidth_bytes_per_s": 1e10}},
           "usd_per_hour": 1.5, "region": "y", "provenance": {"*": {"source": "made up", "date": "2026-01-01"}}},
          {"provider": "aws", "name": "s2", "accelerator": "small", "count": 2,
           "interconnect": {"kind": "pcie-host", "link": {"latency_s": 2e-5, "bandwidth_bytes_per_s": 6e9}},
           "usd_per_hour": 2.1, "region": "x", "provenance": {"*": {"source": "made up", "date": "2026-01-01"}}}]}
        """

    static func catalog() throws -> HardwareCatalog {
        try HardwareCatalog([CatalogFile(name: "world.json", bytes: Array(hardware.utf8))])
    }

    /// Half a billion weights.
    static let model = """
        {"architectures": ["LlamaForCausalLM"], "hidden_size": 1024, "intermediate_size": 2816,
         "num_hidden_layers": 24, "num_attention_heads": 16, "num_key_value_heads": 8, "vocab_size": 32000,
         "max_position_embeddings": 4096, "torch_dtype": "bfloat16"}
        """

    static func question(
        rate: Double? = 20, slo: String = "ttft:p99<500ms,tpot:p95<50ms", budget: Double? = nil,
        maxAccelerators: Int = 4, answers: ClosedRange<Int> = 5...40, threads: Int = 2
    ) throws -> PlanQuestion {
        let catalog = try catalog()
        var bounds = SearchBounds(accelerators: catalog.accelerators, maxAccelerators: maxAccelerators)
        bounds.tensor = [1, 2]
        bounds.pipeline = [1, 2]
        let workload = Workload(
            name: "short", seed: 3,
            drawing: SyntheticRequests(
                lengths: .separate(
                    prompt: .uniform(20, 400), output: .uniform(answers.lowerBound, answers.upperBound), correlation: 0)
            ),
            arrivals: .poisson(rate: 1))
        return PlanQuestion(
            model: "half-b", shape: try ModelShape.parse(config: Array(model.utf8)), workload: workload,
            targets: PlanTargets(
                requestRate: rate, objective: slo.isEmpty ? .init() : try ServiceLevelObjective(parsing: slo),
                budget: budget), bounds: bounds, catalog: catalog,
            engine: EngineProfile(name: "cserve", version: "test"),
            effort: PlanEffort(
                searchRequests: 60, refineRequests: 100, finalRequests: 150, finalSeeds: 3, shortList: 4,
                threads: threads), seed: 5)
    }

    static let origin = PlanOrigin(generator: "test", date: "2026-01-01")
}
