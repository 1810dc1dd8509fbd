// Every error of catalogues, types and budgets, with the message that a user reads.

import CServeCore
import CServeCost
import Testing

@Test("Every catalogue error says what is wrong and what to write instead")
func catalogErrorMessages() {
    let messages: [(CatalogError, String)] = [
        (.notJSON(file: "a.json", reason: "it is empty"), "a.json is not a JSON object: it is empty."),
        (.missing(file: "a.json", field: "name"), "a.json lacks \"name\". Add it."),
        (
            .wrongType(file: "a.json", field: "count", expected: "a whole number", found: "string"),
            "a.json: \"count\" must be a whole number, not string."
        ),
        (
            .outOfRange(file: "a.json", field: "count", value: "0", allowed: "a whole number above 0"),
            "a.json: \"count\" is 0. Give a whole number above 0."
        ),
        (
            .unknownField(file: "a.json", field: "gpus", known: ["count", "name"]),
            "a.json: \"gpus\" is not a field that is read. Known here: count, name."
        ),
        (
            .unknownSchema(file: "a.json", schema: "x/9", expected: "x/1"),
            "a.json is of schema \"x/9\". This build reads \"x/1\"."
        ),
        (
            .unknownHardware(name: "l5", near: ["l4"], accelerators: ["t4", "l4"]),
            "There is no hardware \"l5\". Near: l4. Accelerators: t4, l4. `cserve hardware` lists instances too."
        ),
        (
            .unknownNode(file: "a.json", field: "nodes[0].accelerator", name: "l9", choices: ["l4"]),
            "a.json: \"nodes[0].accelerator\" names \"l9\", which is not in the catalogue. Known: l4."
        ),
        (
            .unknownTopology(name: "nvswitch", accelerator: "l4", choices: ["pcie-host"]),
            "l4 is not catalogued with the topology \"nvswitch\". Choose one of pcie-host."
        ),
        (
            .badHardware(text: "2x(", reason: "a bracket is not closed"),
            "\"2x(\" names no hardware: a bracket is not closed. Write l4, 4xl4, 4xl4:pcie-p2p, g6.12xlarge or "
                + "2x(g6.12xlarge)."
        ),
        (
            .badPrice(text: "l4"),
            "\"l4\" is not a price. Write l4=0.71 (US dollars per GPU and hour) or g6.12xlarge=3.9 (per instance)."
        ),
        (
            .unknownModel(name: "m", near: [], count: 3),
            "There is no model \"m\" among the 3 in the catalogue. `cserve models --catalog` lists them; a checkpoint "
                + "folder or a config.json file will do as well."
        ),
        (
            .badCalibration(file: "a.json", field: "calibrations[0].", reason: "a.json lacks \"model\"."),
            "a.json: the calibration at calibrations[0] cannot be read: a.json lacks \"model\". Write the file anew with "
                + "cserve profile."
        ),
        (.badModel(file: "a.json", model: "m", reason: "x."), "a.json: the model m cannot be read: x."),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every precision error lists the choices")
func precisionErrorMessages() {
    let messages: [(PrecisionError, String)] = [
        (
            .unknownType(field: "dtype", name: "int3", known: ["auto", "float16"]),
            "dtype is int3. Choose one of auto, float16."
        ),
        (
            .unknownQuantization("int3", known: ["int8", "int4"]),
            "quantization is int3, which is not planned. Choose one of int8, int4."
        ),
        (
            .notMultiplied(type: "bfloat16", accelerator: "t4", known: ["float16"]),
            "t4 does not multiply bfloat16. Choose one of float16."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every budget error gives the numbers and a way out")
func budgetErrorMessages() {
    let messages: [(MemoryBudgetError, String)] = [
        (
            .plan(.length(0)),
            "A length of 0 tokens was asked for. Use --max-model-len from 1 to 16777216."
        ),
        (
            .weights(
                model: "llama-3-70b", needs: 141_000_000_000, type: "bf16", hardware: "1xL4", has: 24_000_000_000,
                advice: ["--tensor-parallel-size 8", "--quantization int4 (38 GB on 2xL4)"]),
            "llama-3-70b needs 141 GB (bf16) but 1xL4 has 24 GB. Use --tensor-parallel-size 8, or --quantization int4 "
                + "(38 GB on 2xL4)."
        ),
        (
            .cache(
                model: "m", length: 4096, needs: 2_000_000_000, room: 1_000_000_000, hardware: "1xL4", advice: []),
            "One request of 4096 tokens of m needs 2 GB of KV cache per accelerator, but 1xL4 has 1 GB left for it. Use "
                + "more or larger accelerators."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
