// Every error of Core's readers, with the message that a user reads.

import CServeCore
import Testing

private let place = JSONPosition(offset: 20, line: 2, column: 7)

@Test("Every JSON error names its place and what to write instead")
func jsonErrorMessages() {
    let messages: [(JSONError, String)] = [
        (.unexpectedEnd(at: place), "the JSON text ends inside a value at line 2, column 7; is the body complete?"),
        (
            .unexpectedCharacter("']'", expected: "a value", at: place),
            "expected a value at line 2, column 7 of the JSON text, found ']'"
        ),
        (
            .trailingCharacters(at: place),
            "the JSON value ends before line 2, column 7, but more text follows; remove it"
        ),
        (
            .invalidNumber("01", at: place),
            "'01' at line 2, column 7 is not a JSON number; write it like 12, -0.5 or 1e9"
        ),
        (
            .invalidEscape("\\x", at: place),
            #"'\x' at line 2, column 7 is not a JSON escape; use \", \\, \/, \b, \f, \n, \r, \t or \uXXXX"#
        ),
        (
            .controlCharacter(9, at: place),
            #"a raw control character (code 9) stands in a string at line 2, column 7; escape it as \u00XX"#
        ),
        (.invalidUTF8(at: place), "the JSON text is not UTF-8 at line 2, column 7"),
        (.tooDeep(limit: 128, at: place), "the JSON text nests deeper than 128 levels at line 2, column 7; flatten it"),
        (.duplicateKey("a", at: place), "the key \"a\" is given a second time at line 2, column 7; keep one of them"),
        (
            .numberTooLong(digits: 5000, limit: 4300, at: place),
            "the number at line 2, column 7 has 5000 characters, more than the 4300 that are read; send it as a string"
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}

@Test("Every model shape error names file and field")
func modelShapeErrorMessages() {
    let messages: [(ModelShapeError, String)] = [
        (
            .notJSON(file: "config.json", reason: "it is empty"),
            "config.json is not a JSON object: it is empty. Download the checkpoint again."
        ),
        (
            .missing(file: "config.json", field: "hidden_size"),
            "config.json lacks \"hidden_size\". Add it, or take the config.json that was published with the model."
        ),
        (
            .wrongType(file: "config.json", field: "vocab_size", expected: "a whole number", found: "a string"),
            "config.json: \"vocab_size\" must be a whole number, not a string. Correct the file."
        ),
        (
            .outOfRange(file: "config.json", field: "num_attention_heads", value: "0", allowed: "at least 1"),
            "config.json: \"num_attention_heads\" is 0, which is not at least 1. Correct the file."
        ),
        (
            .inconsistent(file: "config.json", field: "num_key_value_heads", reason: "6 heads over 4"),
            "config.json: \"num_key_value_heads\" does not fit: 6 heads over 4. Correct the file."
        ),
        (
            .unsupportedArchitecture(name: "GPT2LMHeadModel", supported: ["LlamaForCausalLM", "Qwen3ForCausalLM"]),
            "The architecture \"GPT2LMHeadModel\" is not supported. Supported: LlamaForCausalLM, Qwen3ForCausalLM."
        ),
        (
            .plannedOnly(family: "deepseek_v3", supported: ["LlamaForCausalLM"]),
            "Models of the family deepseek_v3 can be planned (cserve plan, cserve models --catalog) but not served. Served: "
                + "LlamaForCausalLM."
        ),
        (
            .unsupportedValue(file: "config.json", field: "hidden_act", value: "swish7", supported: "silu, gelu"),
            "config.json: \"hidden_act\" is \"swish7\", which is not supported. Supported: silu, gelu."
        ),
    ]
    for (error, message) in messages { #expect(error.description == message) }
}
