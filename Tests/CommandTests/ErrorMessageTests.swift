// Every error of the command line, with the message that a user reads.

import Testing

@testable import cserve

@Test("Every load error says what to do next")
func loadErrorMessages() {
    typealias LoadError = ModelLoader.LoadError
    let messages: [(LoadError, String)] = [
        (
            .noSuchModel("llama"),
            "There is no checkpoint folder or .gguf file at llama. Fetch one first (cserve fetch OWNER/NAME), or "
                + "use --model cserve-demo."
        ),
        (
            .notAFolder("model.safetensors"),
            "model.safetensors is a file. Name the folder that holds config.json and the weights, or a .gguf file."
        ),
        (
            .unreadableTemplate(file: "chat.jinja", reason: "it is not UTF-8"),
            "The chat template chat.jinja cannot be read: it is not UTF-8"
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every recipe file error names the file and the field")
func recipeFileErrorMessages() {
    let messages: [(RecipeFileError, String)] = [
        (.unreadable(file: "r.yaml", reason: "no such file"), "r.yaml cannot be read as a recipe: no such file"),
        (
            .notAMapping(file: "r.yaml", found: "a list"),
            "r.yaml must hold names and values (such as max_num_seqs: 64), but holds a list."
        ),
        (
            .unknownKey(file: "r.yaml", key: "max_num_seq", nearest: "max_num_seqs"),
            "r.yaml: max_num_seq is not a recipe field. Did you mean max_num_seqs?"
        ),
        (
            .notBuilt(file: "r.yaml", key: "swap_space", value: "4", instead: "Leave it out."),
            "r.yaml: swap_space is 4, which this build cannot do yet. Leave it out."
        ),
        (.wrongType(file: "r.yaml", key: "seed", value: "\"a\""), "r.yaml: seed cannot be \"a\"."),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every chat error says what happened")
func chatErrorMessages() {
    let messages: [(ChatError, String)] = [
        (
            .badAddress("ftp://host"),
            "ftp://host cannot be used. Give http://HOST:PORT/v1 (https needs a proxy or curl: this client has no TLS)."
        ),
        (.refused("Nobody listens there."), "Nobody listens there."),
        (.status(404, "no such model"), "The server answered 404: no such model"),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every error of a measurement says what and why")
func measureErrorMessages() {
    let messages: [(MeasureError, String)] = [
        (.unreadable(file: "a.txt", reason: "no such file"), "The text a.txt cannot be read: no such file"),
        (
            .tooShort(file: "a.txt", tokens: 1),
            "The text a.txt has 1 tokens, and the first is not predicted. Use a text of two or more."
        ),
        (
            .otherVocabulary(model: 8, reference: 9),
            "The model has a vocabulary of 8, the reference one of 9. Compare with the same model's checkpoint."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every refusal of a measurement names its numbers and what to do")
func benchErrorMessages() {
    let messages: [(BenchError, String)] = [
        (
            .tooLong(test: "pp5000", tokens: 5001, limit: 2048),
            "pp5000 needs 5001 tokens per request but the model takes 2048. Use smaller -p, -n or -d, or a larger "
                + "--max-model-len."
        ),
        (
            .batchAboveSeqs(batch: 32, maxNumSeqs: 8),
            "A batch of 32 needs as many running requests, but --max-num-seqs is 8. Leave it out."
        ),
        (
            .cacheTooSmall(test: "tg128 b32", tokens: 4672, capacity: 4096),
            "tg128 b32 needs a KV cache of 4672 tokens but it has 4096. Use a smaller -b, or more --kv-cache-memory-bytes."
        ),
        (
            .nothingMatches(filter: "gemm", families: ["attention", "linear"]),
            "No kernel's name contains \"gemm\". Families: attention, linear."
        ),
        (
            .needsModel(device: "null"),
            "--device null computes nothing that could be measured. Use cpu or reference."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every error of a folder of measurements names the path")
func dataFolderErrorMessages() {
    let messages: [(DataFolderError, String)] = [
        (.missing("d"), "d is not there. Name a folder of measurements with hardware/, kernels/, serving/."),
        (.unreadable("f", reason: "r"), "f cannot be read: r. Check its permissions."),
        (.unwritable("f", reason: "r"), "f cannot be written: r. Choose another place with -o."),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every error about catalogue files and hardware says what to do next")
func catalogFileErrorMessages() {
    let unreadable: CatalogFileError = .unreadable("my.json")
    #expect(unreadable.description == "my.json cannot be read. Is it there, and may you read it?")
    let provider: HardwareError = .unknownProvider("ibm", known: ["aws", "gcp"])
    #expect(provider.description == "No prices of \"ibm\" are known. Choose one of aws, gcp.")
}
