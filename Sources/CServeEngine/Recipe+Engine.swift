// From a recipe to an engine's settings: what cannot be obeyed is refused, nothing is ignored.

import CServeCore
import CServeScheduling

extension Recipe {
    /// Checks every setting that needs no model to be checked.
    /// - Throws: ``RecipeError`` for the first setting at fault.
    public func checkRunnable() throws(RecipeError) {
        try checkParallelism()
        try checkMemory()
        try checkBatching()
        try checkTypes()
        try checkSpeculation()
    }

    private func checkParallelism() throws(RecipeError) {
        let sizes: [(CodingKeys, Int, String)] = [
            (.tensorParallelSize, tensorParallelSize, "One rank computes every layer: leave it at 1."),
            (.pipelineParallelSize, pipelineParallelSize, "One stage holds every layer: leave it at 1."),
            (
                .dataParallelSize, dataParallelSize,
                "Start one server per copy behind a load balancer, and leave it at 1."
            ),
        ]
        for (key, value, instead) in sizes {
            try Recipe.check(key, value, in: 1...Int.max)
            if value > 1 { throw .notBuilt(field: key.rawValue, value: "\(value)", instead: instead) }
        }
        try Recipe.check(.offloadingNum, offloadingNum, in: 0...Double.greatestFiniteMagnitude)
        if offloadingNum > 0 {
            throw .notBuilt(
                field: CodingKeys.offloadingNum.rawValue, value: "\(offloadingNum)",
                instead: "Weights stay in memory: leave it at 0.")
        }
        if let threads { try Recipe.check(.threads, threads, in: 1...1024) }
    }

    private func checkMemory() throws(RecipeError) {
        try checkBlockSize()
        guard gpuMemUtil > 0, gpuMemUtil <= 1 else {
            throw .outOfRange(field: "gpu_mem_util", value: "\(gpuMemUtil)", range: "above 0 and at most 1")
        }
        if let kvCacheMemoryBytes { try Recipe.check(.kvCacheMemoryBytes, kvCacheMemoryBytes, in: 1...Int.max) }
        if let maxModelLen { try Recipe.check(.maxModelLen, maxModelLen, in: 1...Int.max) }
    }

    private func checkTypes() throws(RecipeError) {
        let floats = ["auto", "bfloat16", "float16", "float32"]
        try Recipe.check(.dtype, dtype, among: floats)
        try Recipe.check(.cacheDtype, cacheDtype, among: ["auto"] + CacheFormat.names)
        try Recipe.check(
            .device, device, among: ["auto", "cpu", "reference", "null"], notBuilt: ["cuda"],
            instead: "Use device cpu, or leave it out.")
        try checkPolicy()
        if let quantization {
            let choices = Quantization.allCases.map(\.rawValue)
            let methods = Quantization.methods.filter { !choices.contains($0) }
            try Recipe.check(.quantization, quantization, among: choices + methods)
        }
    }
}
