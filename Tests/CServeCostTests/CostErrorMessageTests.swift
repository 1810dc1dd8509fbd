// Every error of the cost model, with the message that a user reads.
import CServeCore
import CServeCost
import Testing

@Test("Every step cost error says what is wrong and what to do")
func stepCostErrorMessages() {
    let messages: [(StepCostError, String)] = [
        (
            .parallelism(.tooManyStages(stages: 9, layers: 4)),
            "9 stages cannot share 4 layers. Use --pipeline-parallel-size 4 or less."
        ),
        (
            .unsupportedArithmetic(.bfloat16, accelerator: "NVIDIA T4", supported: [.float16, .int8]),
            "NVIDIA T4 does not multiply bfloat16. Use one of its types: float16, int8."
        ),
        (.offloadedShare(2), "An offloaded share of 2.0 is not a share. Use 0 to 1."),
        (
            .noHostLink(accelerator: "X"),
            "The catalogue does not say how fast X reads host memory, which streamed weights need. "
                + "Add \"host_link\" in a --hardware file, or keep all weights on the accelerator."
        ),
        (
            .noNetwork(node: "n", accelerators: 16, perNode: 8),
            "16 accelerators need several n (8 each), and it has no network to others. "
                + "Use a smaller --tensor-parallel-size or --pipeline-parallel-size, or add \"network\" in a --hardware file."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every calibration error names its file and place")
func calibrationErrorMessages() {
    let messages: [(CalibrationError, String)] = [
        (.table(file: "a.csv", .empty), "a.csv: The table is empty: its first line must name the columns."),
        (
            .value(file: "a.csv", line: 3, column: "n_label", text: "x", expected: "a bound like n<=128"),
            "a.csv, line 3, column \"n_label\": \"x\" is not a bound like n<=128. Correct or remove the row."
        ),
        (.notJSON(file: "a.json", reason: "r"), "a.json is not JSON: r. Write it anew with cserve calibrate."),
        (
            .field(file: "a.json", field: "ranks", expected: "a number"),
            "a.json: \"ranks\" must be a number. Write the file anew with cserve calibrate."
        ),
        (
            .version(file: "a.json", found: "2", known: "1"),
            "a.json has the version 2; this program reads 1. Write it anew with cserve calibrate."
        ),
        (.noTables(folder: "d", expected: "e"), "d holds no table of measured kernels. Expected e."),
        (
            .unknownAccelerator(file: "f", name: "x9", known: ["T4", "L4"]),
            "f was measured on \"x9\", which no data sheet names. Add it to hardware/gpus.csv; there are T4, L4."
        ),
        (.unknownEngine("x", known: ["vllm", "trtllm"]), "There is no engine \"x\". Choose one of vllm, trtllm."),
        (
            .tooFew(what: "steps", found: 3, needed: 20),
            "3 measurements of steps are too few for a fit. Measure at least 20."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
