// `cserve fidelity` on small folders: what is predicted, what is passed over and why.

import CServeCore
import Foundation
import Testing

@testable import cserve

@Suite("Fidelity")
struct FidelityTests {
    /// A folder of measurements that is gone afterwards.
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("data-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        try body(folder.path)
    }

    @Test("published rows are predicted or passed over with their reason")
    func serving() throws {
        let head =
            "hardware,count,model,precision,tp,pp,engine,engine_version,in_len,out_len,batch_or_concurrency,"
            + "rate_rps,metric,value,unit,source,notes\n"
        let rows = [
            // The measured value is of no matter here: 1 token a second makes the error large and visible.
            "H100 80GB HBM3,1,LLaMA 3.1 8B,FP8,1,1,TensorRT-LLM,0.9.0,128,16,4,,output_throughput,1,tok/s,none,static batch",
            "L40S,1,LLaMA 3.1 8B,FP8,1,1,llama.cpp,1,128,16,4,,output_throughput,1,tok/s,none,static batch",
            "L40S,1,LLaMA 3.1 8B,FP8,1,1,TensorRT-LLM,1,128,16,4,,joy,1,tok/s,none,static batch",
            "L40S,2,LLaMA 3.1 8B,FP8,1,1,TensorRT-LLM,1,128,16,4,,output_throughput,1,tok/s,none,static batch",
        ]
        try withFolder(["serving/table.csv": head + rows.joined(separator: "\n")]) { folder in
            let result = try Command.run(["fidelity", "--data", folder, "--only", "serving"])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("| table.csv | throughput | 1 |"))
            #expect(result.output.contains("| table.csv | 1 | no engine profile of llama.cpp |"))
            #expect(result.output.contains("| table.csv | 1 | joy has no counterpart in a simulation |"))
            #expect(result.output.contains("| table.csv | 1 | count differs from tp x pp |"))
        }
    }

    @Test("a run that cannot be replayed says why, with its line, and the page goes on")
    func runs() throws {
        let run = "serving/v_per_request/GPU/Model/"
        let files = [
            run + "vllm/meta.json": "{\"model\": \"nobody/nothing\", \"engine_kwargs\": {}}",
            run + "vllm/requests.jsonl":
                "{\"input_toks\": 5, \"output_toks\": 2, \"queued_ts\": 1, \"first_token_ts\": 2, \"last_token_ts\": 3}\n",
        ]
        try withFolder(files) { folder in
            let result = try Command.run(["fidelity", "--data", folder, "--only", "requests"])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("Not replayed: nobody/nothing is not in the model catalogue."))
        }
        var broken = files
        broken[run + "vllm/requests.jsonl"]? += "{\"input_toks\": 5}\n"
        try withFolder(broken) { folder in
            let result = try Command.run(["fidelity", "--data", folder, "--only", "requests"])
            #expect(result.output.contains("requests.jsonl, line 2: a request needs input_toks"), "\(result.output)")
        }
    }

    @Test("times of a run are told as vLLM tells them")
    func measured() throws {
        let run = "serving/v_per_request/GPU/Model"
        let line = { (queued: Double) -> String in
            "{\"input_toks\": 5, \"output_toks\": 3, \"queued_ts\": \(queued), \"first_token_ts\": \(queued + 0.5), "
                + "\"last_token_ts\": \(queued + 1.5)}\n"
        }
        let files = [
            run + "/vllm/meta.json": "{\"model\": \"m\", \"engine_kwargs\": {\"max_num_seqs\": 7}}",
            run + "/vllm/requests.jsonl": line(11) + line(10),
        ]
        try withFolder(files) { folder in
            let data = try DataFolder(folder)
            #expect(MeasuredRun.folders(in: data) == [run])
            let measured = try MeasuredRun(run, in: data)
            #expect(measured.maxNumSeqs == 7 && measured.gpu == "GPU")
            #expect(measured.ttft.mean == 500 && measured.tpot.mean == 500 && measured.e2e.mean == 1500)
            #expect(measured.workload.map(\.arrival) == [0, .second])
        }
    }

    @Test("requests are sent when their clients sent them, on the engine's clock; one block of vLLM's holds nothing")
    func sending() throws {
        let run = "serving/v_per_request/GPU/Model"
        let line = { (arrival: Double, queued: Double) -> String in
            "{\"input_toks\": 5, \"output_toks\": 3, \"arrival_time\": \(arrival), \"queued_ts\": \(queued), "
                + "\"first_token_ts\": \(queued + 0.5), \"last_token_ts\": \(queued + 1.5)}\n"
        }
        let files = [
            run + "/vllm/meta.json": """
            {"model": "m", "engine_kwargs": {}, "kv_cache": {"num_gpu_blocks": 100},
             "resolved_config": {"scheduler_config": {"async_scheduling": false}}}
            """,
            // The first waited 0.25 s longer than the second until the engine took it in.
            run + "/vllm/requests.jsonl": line(1000, 10.5) + line(1001, 11.25),
        ]
        try withFolder(files) { folder in
            let measured = try MeasuredRun(run, in: try DataFolder(folder))
            #expect(measured.requests.map(\.sent) == [10.25, 11.25])
            #expect(measured.workload.map(\.arrival) == [0, .second])
            #expect(measured.ttft.mean == 500)
            #expect(measured.kvBlocks == 99)
            #expect(measured.schedulesAhead == false)
        }
    }

    @Test("a profile whose meta.yaml does not enable its skew fit is read without it")
    func skew() throws {
        var files = [
            "tp1/dense.csv": "layer,tokens,time_us\nqkv_proj,1,5\no_proj,1,5\n",
            "tp1/per_sequence.csv": "layer,sequences,time_us\nlm_head,1,9\n",
            "tp1/attention.csv": """
            prefill_chunk,kv_prefill,n_decode,kv_decode,time_us
            16,0,0,0,10
            32,0,0,0,20
            0,0,1,16,10
            0,0,2,16,20

            """,
            "tp1/skew_fit.csv":
                "pc,n_label,skew_rate_label,kv_big_label,kp_label,alpha\n0,n<=8,sr<=15%,kvB<=1k,kp=0,0.5\n",
            "meta.yaml": "gpu: G\nskew_fit:\n  enabled: true\n",
        ]
        try withFolder(files) { folder in
            let profile = try DataFolder.profile(folder)
            #expect(profile.profiles[0].skew.rows.count == 1)
        }
        files["meta.yaml"] = "gpu: G\nskew_fit:\n  enabled: false\n"
        try withFolder(files) { folder in
            let profile = try DataFolder.profile(folder)
            #expect(profile.title == "G")
            #expect(profile.profiles[0].skew.rows.isEmpty && profile.profiles[0].skew.standard == 0)
        }
    }

    @Test("a folder that is not there, and a section that is none, are refused")
    func refusals() throws {
        let missing = try Command.run(["fidelity", "--data", "/nowhere"])
        #expect(missing.status == 1 && missing.errors.contains("/nowhere is not there"))
        let section = try Command.run(["fidelity", "--data", "/", "--only", "hopes"])
        #expect(section.status == 64 && section.errors.contains("operators"))
    }
}
