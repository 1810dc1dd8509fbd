"""Makes a Llama-shaped checkpoint of random weights: python random_checkpoint.py 160m|1.1b bfloat16|float16|float32 FOLDER

Speed does not depend on what the weights say, so that nothing needs to be downloaded. Weights are N(0, 0.02), norms 1, as
transformers initialises Llama. The tokenizer is Llama 2's kind (BPE with byte fallback, 32000 pieces) with made-up pieces, so
that transformers, llama.cpp's converter and CServe all take the folder. Needs numpy.
"""

import argparse
import json
import pathlib
import string
import struct

import numpy

SHAPES = {
    "tiny": dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=128),
    "160m": dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, num_key_value_heads=12, intermediate_size=3072),
    # TinyLlama-1.1B's shape.
    "1.1b": dict(hidden_size=2048, num_hidden_layers=22, num_attention_heads=32, num_key_value_heads=4, intermediate_size=5632),
}
VOCABULARY = 32000
TYPES = {"bfloat16": ("BF16", 2), "float16": ("F16", 2), "float32": ("F32", 4)}


def configuration(shape, dtype):
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_act": "silu",
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
        "attention_bias": False, "mlp_bias": False, "initializer_range": 0.02, "bos_token_id": 1, "eos_token_id": 2,
        "torch_dtype": dtype, **shape,
    }


def tensors(shape):
    """Names and shapes as transformers stores Llama; vectors are norms."""
    hidden, width, heads = shape["hidden_size"], shape["intermediate_size"], shape["num_attention_heads"]
    keys = shape["num_key_value_heads"] * hidden // heads
    yield "model.embed_tokens.weight", (VOCABULARY, hidden)
    for layer in range(shape["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        yield name + "input_layernorm.weight", (hidden,)
        yield name + "self_attn.q_proj.weight", (hidden, hidden)
        yield name + "self_attn.k_proj.weight", (keys, hidden)
        yield name + "self_attn.v_proj.weight", (keys, hidden)
        yield name + "self_attn.o_proj.weight", (hidden, hidden)
        yield name + "post_attention_layernorm.weight", (hidden,)
        yield name + "mlp.gate_proj.weight", (width, hidden)
        yield name + "mlp.up_proj.weight", (width, hidden)
        yield name + "mlp.down_proj.weight", (hidden, width)
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (VOCABULARY, hidden)


def stored(values, dtype):
    """The numbers' bytes; bf16 rounds to the nearest, ties to even."""
    if dtype == "float32":
        return values.astype("<f4").tobytes()
    if dtype == "float16":
        return values.astype("<f2").tobytes()
    bits = values.astype("<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def write_weights(path, shape, dtype, seed):
    """Writes one safetensors file: the length of a JSON header, the header, the numbers."""
    name, size = TYPES[dtype]
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for key, dimensions in tensors(shape):
        start, end = end, end + size * int(numpy.prod(dimensions))
        header[key] = {"dtype": name, "shape": list(dimensions), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = numpy.random.default_rng(seed)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, dimensions in tensors(shape):
            if len(dimensions) == 1:
                values = numpy.ones(dimensions, dtype=numpy.float32)
            else:
                values = generator.standard_normal(dimensions, dtype=numpy.float32) * numpy.float32(0.02)
            file.write(stored(values, dtype))


def pieces():
    """32000 pieces and the merges that make them: bytes, characters, then pairs of what is there already."""
    vocabulary = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    singles = ["\u2581"] + list(string.ascii_letters + string.digits + string.punctuation)
    vocabulary += singles
    known, merges, fresh = set(vocabulary), [], list(singles)
    while len(vocabulary) < VOCABULARY:
        older, fresh = fresh, []
        for left in older:
            for right in singles[1:53]:  # letters
                if len(vocabulary) == VOCABULARY:
                    return vocabulary, merges
                if left + right not in known:
                    known.add(left + right)
                    vocabulary.append(left + right)
                    merges.append([left, right])
                    fresh.append(left + right)
    return vocabulary, merges


def tokenizer():
    vocabulary, merges = pieces()
    special = [
        {"id": index, "content": vocabulary[index], "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for index in range(3)
    ]
    first = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "\u2581"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing", "single": [first, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [first, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
            "vocab": {piece: index for index, piece in enumerate(vocabulary)}, "merges": merges},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("dtype", choices=TYPES)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shape, folder = SHAPES[options.shape], options.folder
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "config.json": configuration(shape, options.dtype),
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {
            "tokenizer_class": "LlamaTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
            "add_bos_token": True, "add_eos_token": False, "model_max_length": 2048, "legacy": False,
            "chat_template": "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False) + "\n")
    write_weights(folder / "model.safetensors", shape, options.dtype, options.seed)


if __name__ == "__main__":
    main()
