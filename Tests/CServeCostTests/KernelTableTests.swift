import CServeCore
import Testing

@testable import CServeCost

@Suite("Measured tables")
struct KernelTableTests {
    private let sheets: String = """
        gpu,arch,compute_capability,mem_gb,mem_bw_gbs,fp16_dense_tflops_fp32acc,bf16_dense_tflops,fp8_dense_tflops,\
        int8_dense_tops,fp32_tflops,l2_mb,sm_count,nvlink_total_bidir_gbs,p2p_effective_gbs_plan
        A100-40GB-SXM,Ampere,8.0,40,1555,312,312,none,624,19.5,40,108,600,240
        A100-80GB-SXM,Ampere,8.0,80,2039,312,312,none,624,19.5,40,108,600,240
        T4,Turing,7.5,16,320,65,none (no bf16 tensor cores),none,130,8.1,4,40,0,6
        RTX-4090,Ada,8.9,24,1008,165,165,330,661,82.6,72,128,0,10
        """

    private func table(_ text: String, _ file: String) throws -> KernelTable? {
        try KernelTable(parsing: Array(text.utf8), file: file)
    }

    @Test("matrix products, attention and sums are told apart by their columns")
    func kinds() throws {
        let gemm = try table(
            "version,gemm_dtype,m,n,k,latency\n1,fp8,2,64,128,0.01\n1,float16,2,64,128,0.02\n", "x_gemm.csv")
        #expect(
            gemm?.samples.map(\.work) == [
                .gemm(m: 2, n: 64, k: 128, type: "fp8"), .gemm(m: 2, n: 64, k: 128, type: "bfloat16"),
            ])
        #expect(gemm?.samples[0].seconds == 1e-5)
        let old = try table("version,gemm_dtype,m,n,k,latency\n0.14.0,fp8,2,64,128,0.01\n", "x_gemm.csv")
        #expect(old?.samples.first?.work == .gemm(m: 2, n: 64, k: 128, type: "fp8_eager"))
        let head =
            "version,batch_size,isl,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,step,window_size,latency\n"
        let decode = try table(head + "1,4,1,8,2,64,fp8,99,128,0.01\n", "x_generation_attention.csv")
        let shape = AttentionShape(heads: 8, kvHeads: 2, headDim: 64, window: 128, cacheBytes: 1)
        #expect(decode?.samples.first?.work == .decode(requests: 4, context: 100, shape: shape))
        let prompt = try table(head + "1,4,32,8,2,64,bfloat16,16,0,0.01\n", "x_context_attention.csv")
        let open = AttentionShape(heads: 8, kvHeads: 2, headDim: 64)
        #expect(prompt?.samples.first?.work == .prefill(requests: 4, tokens: 32, context: 16, shape: open))
        let sums = try table(
            "version,kernel_source,allreduce_dtype,num_gpus,message_size,latency\n1,vLLM_custom_graph,bfloat16,2,512,0.01\n",
            "x_comm.csv")
        #expect(sums?.messages.first?.way == "graph")
        #expect(sums?.messages.first?.point == CollectiveCurve.Point(bytes: 1024, seconds: 1e-5))
        #expect(try table("a,b\n1,2\n", "x.csv") == nil)
    }

    @Test("rows that make no sense are passed over with their line and reason; broken cells stop with theirs")
    func badRows() throws {
        let odd = try table("m,n,k,latency,gemm_dtype\n1,64,64,0,bfloat16\n0,64,64,1,bfloat16\n", "x_gemm.csv")
        #expect(odd?.skipped.map(\.line) == [2, 3])
        #expect(odd?.samples.isEmpty == true)
        #expect(
            throws: CalibrationError.table(
                file: "x_gemm.csv", .notANumber(line: 2, column: "k", text: "x"))
        ) {
            try table("m,n,k,latency,gemm_dtype\n1,64,x,1,bfloat16\n", "x_gemm.csv")
        }
    }

    @Test("a file's prefix finds the data sheet, the one with most memory where several fit")
    func prefixes() throws {
        let sheets: DataSheets = try DataSheets(parsing: Array(sheets.utf8), file: "gpus.csv")
        #expect(sheets.accelerator(prefix: "a100_sxm")?.name == "A100-80GB-SXM")
        #expect(sheets.accelerator(prefix: "rtx4090")?.name == "RTX-4090")
        #expect(sheets.accelerator(prefix: "h100_sxm") == nil)
        #expect(sheets.accelerator(alike: "RTX4090")?.name == "RTX-4090")
        #expect(sheets.accelerator(alike: "RTX5090") == nil)
        #expect(sheets.accelerator(prefix: "t4")?.peaks[.bfloat16] == nil)
        #expect(sheets.links["T4"]?.kind == .pcieHost)
        #expect(LibraryBuilder.prefix(of: "kernels/rtx_pro_gemm_vllm_0.1_gemm.csv") == "rtx_pro")
    }

    @Test("fitted curves come back from their file as they were")
    func fileRoundTrip() throws {
        var builder = LibraryBuilder()
        let sheets: DataSheets = try DataSheets(parsing: Array(sheets.utf8), file: "gpus.csv")
        var rows = "version,gemm_dtype,m,n,k,latency\n"
        for m in [1, 16, 256] {
            for n in [256, 4096] { rows += "1,bfloat16,\(m),\(n),1024,\(0.01 + Double(m * n) * 1e-8)\n" }
        }
        let gemm: KernelTable? = try table(rows, "a100_sxm_gemm_x_gemm.csv")
        builder.add(try #require(gemm), sheets: sheets)
        let sums: KernelTable? = try table(
            "version,kernel_source,allreduce_dtype,num_gpus,message_size,latency\n1,c_graph,half,2,512,0.01\n1,c_graph,half,2,4096,0.02\n",
            "a100_sxm_comm_x.csv")
        builder.add(try #require(sums), sheets: sheets)
        let strange: KernelTable? = try table(rows, "x9_gemm_x_gemm.csv")
        builder.add(try #require(strange), sheets: sheets)
        #expect(builder.unplaced.map(\.rows) == [6])
        let built = builder.build(source: "a test", date: "2026-01-01")
        let read: LibraryFile = try LibraryFile(parsing: built.file.json.serialized(), file: "curves.json")
        #expect(read.json == built.file.json)
        #expect(read.origins["A100-80GB-SXM gemm bfloat16"]?.source == "a test")
        let work = KernelWork.gemm(m: 16, n: 4096, k: 1024, type: "bfloat16")
        #expect(abs((read.library.curves.first?.time(of: work).seconds ?? 0) / (0.01e-3 + 65536e-11) - 1) < 1e-3)
        #expect(built.thinning.first?.kept == 6)
    }

    @Test("a broken curve file is refused with its field")
    func brokenFiles() {
        func refusal(_ text: String) -> CalibrationError? {
            do {
                _ = try LibraryFile(parsing: Array(text.utf8), file: "c.json")
                return nil
            } catch {
                return error
            }
        }
        #expect(
            refusal("{\"schema\": \"cserve-utilisation/9\"}")
                == .version(
                    file: "c.json", found: "cserve-utilisation/9", known: LibraryFile.schema))
        #expect(refusal("{}") == .field(file: "c.json", field: "schema", expected: "a text"))
        #expect(
            refusal("{\"schema\": \"cserve-utilisation/1\", \"accelerators\": 3}")
                == .field(
                    file: "c.json", field: "accelerators", expected: "a list"))
        if case .notJSON = refusal("{") {} else { Issue.record("a half object is not refused as JSON") }
    }

    @Test("decodes of a profile are kernels less the write to the cache; prompts and mixed rows are left")
    func profiledDecodes() throws {
        let spec: AcceleratorSpec = try #require(
            try DataSheets(parsing: Array(sheets.utf8), file: "gpus.csv").accelerator(alike: "RTX4090"))
        var kernels = ProfiledKernels(spec)
        let shape = AttentionShape(heads: 32, kvHeads: 8, headDim: 128)
        let head = "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n"
        let rows = head + "0,0,4,64,10\n16,0,0,0,20\n16,0,4,64,30\n0,0,1,16,1\n"
        try kernels.add(parsing: Array(rows.utf8), file: "attention.csv", shape: shape)
        #expect(kernels.samples.map(\.work) == [.decode(requests: 4, context: 64, shape: shape)])
        // 5.2 thousand cycles at the 2.52 GHz that 82.6 TFLOPS of 128 x 128 cores mean are 2.06 us; 1 us less that is no time.
        #expect(abs((kernels.samples.first?.seconds ?? 0) - 7.94e-6) < 0.01e-6)
    }

    @Test("quantised activations cost a product their kernels and bytes, and nothing where 16 bits stay")
    func quantising() {
        let rates = DeviceRates(CostShapes.a100())
        func seconds(_ quantising: Quantising?) -> Double {
            var work = GemmWork(m: 4096, n: 4096, k: 4096, weightBytes: 1, inputBytes: 1, peak: 624e12)
            work.quantising = quantising
            return GemmPhysics.seconds(work, rates, GemmPhysics.constants)
        }
        let start: Double = rates.seconds(kilocycles: 5.2)
        let extra: Double = seconds(.fused) - seconds(nil)
        // One kernel, and 3 bytes for each of 4096 x 4096 numbers at 0.78 of the memory's rate, which no cache beats here.
        #expect(108 * 6.5 * rates.clock * 1e6 < 0.78 * rates.bandwidth)
        #expect(abs(extra - start - 3 * 4096 * 4096 / (0.78 * rates.bandwidth)) < 1e-9)
        #expect(seconds(.eager) > seconds(.fused) + 4 * start)
        #expect(seconds(.block) > seconds(.fused) + 2 * start)
        #expect(Quantising(type: "bfloat16") == nil)
        #expect(Quantising(type: "fp8_block") == .block)
        #expect(Quantising(type: "int8") == .fused)
    }
}
