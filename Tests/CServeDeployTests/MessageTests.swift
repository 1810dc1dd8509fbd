// Every error of deployment, with the message that a user reads.

import CServeCore
import CServeDeploy
import Testing

@Test("Every deployment error says what happened and what to do next")
func deployErrorMessages() {
    let messages: [(DeployError, String)] = [
        (
            .wrongProvider(target: "eks", provider: "gcp", instance: "g2-standard-4"),
            "The plan's machines are gcp g2-standard-4, and --target eks has none of them. Plan with --provider aws, or "
                + "render for the cluster where they are."
        ),
        (
            .noLabel(target: "gke", accelerator: "a10g", label: "cloud.google.com/gke-accelerator"),
            "The plan has no label cloud.google.com/gke-accelerator for a10g, so --target gke cannot find its nodes. Add it "
                + "under labels in a hardware file (--hardware) and plan again."
        ),
        (
            .spansNodes(what: "compose", ranks: 8, nodeAccelerators: 4, advice: "Use --target kubernetes."),
            "One replica takes 8 accelerators and a node has 4, but compose keeps a replica on one node. Use --target "
                + "kubernetes."
        ),
        (
            .tensorAcrossNodes(ranks: 8, nodeAccelerators: 4),
            "8 tensor-parallel ranks do not fit a node of 4 accelerators. Plan with a smaller --tp and more stages (--pp)."
        ),
        (
            .notInVLLM(field: "quantization", value: "int4", advice: "Plan with fp8."),
            "vLLM has no quantization int4. Plan with fp8."
        ),
        (
            .noFamily(accelerator: "h100", ranks: 2, known: ["GPU_NV_S (1 x a10g)"]),
            "Snowflake has no instance family with 2 h100. It has GPU_NV_S (1 x a10g): plan with one of them (--gpus)."
        ),
        (
            .badName(name: "A", rule: "it takes small letters."),
            "\"A\" cannot be a name here: it takes small letters. Give another with --name."
        ),
        (
            .badModel("a b"),
            "\"a b\" names no model. Write OWNER/NAME@REVISION, for example "
                + "meta-llama/Llama-3.1-8B-Instruct@0e9e39f249a16976918f6564b8830bc894c89659."
        ),
        (
            .noModelImage,
            "--model-cache image needs the weights' image: --model-image REGISTRY/NAME@sha256:DIGEST."
        ),
        (
            .tooFewReplicas(most: 1, planned: 2),
            "--max-replicas is 1, but the plan needs 2. Give at least that, or leave it out."
        ),
        (.notPositive(name: "--drain", value: 0), "--drain is 0. Give at least 1."),
        (
            .noFormat(format: "helm", target: "local"),
            "--format helm packs Kubernetes manifests, and --target local has none. Leave it out."
        ),
        (.unknownOption("x", known: ["a", "b"]), "The plan has no option \"x\". It has \"a\", \"b\"."),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every hub error says what happened and what to do next")
func hubErrorMessages() {
    let messages: [(HubError, String, Int32)] = [
        (.badAddress("x"), "\"x\" is no address. Write http://HOST:PORT or https://HOST in HF_ENDPOINT.", 3),
        (
            .unreachable(url: "http://h", reason: "refused"),
            "http://h cannot be reached: refused. Check the network or HF_ENDPOINT.", 3
        ),
        (
            .noTLS(url: "https://h"),
            "https://h needs https, which this build lacks. Build with --traits TLS, or name a mirror by http in HF_ENDPOINT.",
            3
        ),
        (.notFound(model: "a/b@main"), "The hub has no a/b@main. Check owner, name and revision.", 2),
        (
            .forbidden(model: "a/b@main", hasToken: false),
            "a/b@main needs a token. Write it to a file and name that with --token-file, or set HF_TOKEN.", 2
        ),
        (
            .forbidden(model: "a/b@main", hasToken: true),
            "The token does not open a/b@main. Accept the model's terms on its page, or use another token.", 2
        ),
        (.status(url: "http://h", code: 503), "http://h answered 503. Try again later.", 3),
        (
            .badListing(url: "http://h", reason: "it has no files"),
            "http://h is no hub's answer: it has no files. Check HF_ENDPOINT.", 3
        ),
        (
            .unsafePath("../a"),
            "The hub names a file \"../a\", which leads out of the folder. Nothing was written.", 4
        ),
        (.nothingChosen(model: "a/b@main"), "No file of a/b@main is chosen. Widen --include.", 2),
        (
            .short(file: "f", found: 1, expected: 2),
            "f ended after 1 of 2 bytes, again and again. Run the command again: it goes on there.", 3
        ),
        (
            .damaged(file: "f", expected: "aa", found: "bb"),
            "f has digest bb, but the hub names aa. It was removed; run the command again.", 4
        ),
        (
            .incomplete(model: "a/b@main", folder: "/m"),
            "a/b@main is not complete in /m, and nothing may be fetched offline. Run cserve fetch a/b@main online.", 5
        ),
        (
            .waited(seconds: 9, folder: "/m"), "After 9 s /m is still not complete. See what fetches it.", 5
        ),
        (.unwritable(path: "/m", reason: "read-only"), "/m cannot be written: read-only", 1),
    ]
    for (error, message, code) in messages {
        #expect(error.description == message)
        #expect(error.exitCode == code)
    }
}

@Test("Every lint error says what happened and what to do next")
func lintErrorMessages() {
    let messages: [(LintError, String)] = [
        (.notYAML(file: "a.yaml", reason: "line 1"), "a.yaml is not YAML: line 1"),
        (
            .nothingThere, "There are no rendered files here. Name a folder that cserve deploy render -o wrote."
        ),
        (.badPlan(.notAPlan(file: "p")), DeploymentPlanError.notAPlan(file: "p").description),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
