"""Makes the GGUF files of Tests/Fixtures/gguf: random blocks of every quantised type, and a small Llama made of them.

    pip install gguf sentencepiece torch transformers
    python Tools/parity/make_gguf.py Tests/Fixtures/gguf

`blocks.gguf` holds for each type a tensor of random blocks and, as `TYPE.values`, what the PyPI package gguf dequantises
them to. `mixed/model.gguf` is a Llama with a different type in almost every matrix, a SentencePiece vocabulary trained
here, and a chat template; `reference.json` has transformers' log-probabilities on the dequantised weights, `tokens.json`
sentencepiece's ids.
"""
import io
import json
import pathlib
import sys

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as T
from transformers import LlamaConfig, LlamaForCausalLM

# Bytes of a block, where its halves (d, then what subtracts) lie, and the mean code, which the minimum takes away again.
BLOCKS = {
    T.Q4_0: (18, [0], 0), T.Q4_1: (20, [0, 2], -7.5), T.Q5_0: (22, [0], 0), T.Q5_1: (24, [0, 2], -15.5),
    T.Q8_0: (34, [0], 0), T.Q2_K: (84, [80, 82], 1.5), T.Q3_K: (110, [108], 0), T.Q4_K: (144, [0, 2], 7.5),
    T.Q5_K: (176, [0, 2], 15.5), T.Q6_K: (210, [208], 0), T.IQ4_NL: (18, [0], 0), T.IQ4_XS: (136, [0], 0),
}
HIDDEN, HEADS, KV_HEADS, HEAD, WIDTH, LAYERS, VOCABULARY = 256, 4, 2, 16, 32, 2, 320
TEXTS = [
    "Hello, world!", "  two spaces and  more   ", "naïve café: 12345 µm", "日本語 text 🙂", "a\nb\tc", "", " ", "x",
    "The scheduler runs one step.</s>tail", "if x == 1:\n    return y[0]\n",
]
TEMPLATE = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}"
CORPUS = [
    "The scheduler decides what is computed next, and the engine computes it.", "Hello, world! How are you today?",
    "A request waits until there is room for its keys and values.", "for i in range(10): print(i, x[i] + 1)",
    "Every token is a number; the tokenizer turns text into tokens.", "naive cafe, two spaces, one step at a time.",
    "Weights made of codes have scales, and some of them have minimums.", "return y[0] if x == 1 else None",
]


def half(value):
    return np.frombuffer(np.float16(value).tobytes(), np.uint8)


def blocks(random, kind, rows, columns, deviation):
    """Random blocks whose values have about this standard deviation, as rows of bytes."""
    size, places, mean = BLOCKS[kind]
    count = columns // gguf.GGML_QUANT_SIZES[kind][0]
    data = random.integers(0, 256, (rows * count, size), np.uint8)

    def set_scale(scale):
        data[:, places[0]:places[0] + 2] = half(scale)
        if len(places) > 1:
            data[:, places[1]:places[1] + 2] = half(scale * mean)

    set_scale(0.01)
    set_scale(0.01 * deviation / gguf.dequantize(data, kind).std())
    # Scales differ from block to block, so that mixing them up shows.
    scale = data[:, places[0]:places[0] + 2].copy().view(np.float16) * random.uniform(0.7, 1.3, (len(data), 1))
    data[:, places[0]:places[0] + 2] = scale.astype(np.float16).view(np.uint8)
    return data.reshape(rows, count * size)


def make_blocks(path):
    random = np.random.default_rng(5)
    writer = gguf.GGUFWriter(path, "test")
    for kind in BLOCKS:
        data = blocks(random, kind, 2, 512, 1.0)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        writer.add_tensor(kind.name + ".values", gguf.dequantize(data, kind).astype(np.float32).reshape(2, 512))
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def deinterleave(matrix, head):
    """transformers' rows of llama.cpp's."""
    rows = matrix.reshape(-1, head // 2, 2, matrix.shape[1])
    return rows.swapaxes(1, 2).reshape(matrix.shape)


def vocabulary():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 20), model_writer=model, model_type="bpe", vocab_size=VOCABULARY,
        byte_fallback=True, character_coverage=0.99, normalization_rule_name="identity",
        remove_extra_whitespaces=False, num_threads=1, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def add_vocabulary(writer, spm):
    def kind(i):
        flags = [(spm.IsUnknown(i), 2), (spm.IsControl(i), 3), (spm.IsUnused(i), 5), (spm.IsByte(i), 6)]
        return next((number for is_kind, number in flags if is_kind), 1)

    ids = range(spm.vocab_size())
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([spm.IdToPiece(i) for i in ids])
    writer.add_token_scores([spm.GetScore(i) for i in ids])
    writer.add_token_types([kind(i) for i in ids])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)


def make_mixed(folder):
    random = np.random.default_rng(7)
    kinds = {
        "token_embd": T.Q2_K, "blk.0.attn_q": T.Q4_K, "blk.0.attn_k": T.Q5_K, "blk.0.attn_v": T.Q6_K,
        "blk.0.attn_output": T.Q8_0, "blk.0.ffn_gate": T.Q4_K, "blk.0.ffn_up": T.Q4_0, "blk.0.ffn_down": T.Q5_1,
        "blk.1.attn_q": T.Q6_K, "blk.1.attn_k": T.Q2_K, "blk.1.attn_v": T.Q3_K, "blk.1.attn_output": T.Q4_1,
        "blk.1.ffn_gate": T.IQ4_XS, "blk.1.ffn_up": T.IQ4_NL, "blk.1.ffn_down": T.Q5_0,
    }
    shapes = {
        "token_embd": (VOCABULARY, HIDDEN), "attn_q": (HEADS * HEAD, HIDDEN), "attn_k": (KV_HEADS * HEAD, HIDDEN),
        "attn_v": (KV_HEADS * HEAD, HIDDEN), "attn_output": (HIDDEN, HEADS * HEAD), "ffn_gate": (WIDTH, HIDDEN),
        "ffn_up": (WIDTH, HIDDEN), "ffn_down": (HIDDEN, WIDTH),
    }
    names = {
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }
    spm = vocabulary()
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_name("mixed")
    for add, value in [
        (writer.add_context_length, 128), (writer.add_embedding_length, HIDDEN), (writer.add_block_count, LAYERS),
        (writer.add_feed_forward_length, WIDTH), (writer.add_head_count, HEADS), (writer.add_head_count_kv, KV_HEADS),
        (writer.add_key_length, HEAD), (writer.add_value_length, HEAD), (writer.add_rope_dimension_count, HEAD),
        (writer.add_layer_norm_rms_eps, 1e-5), (writer.add_rope_freq_base, 10000.0),
    ]:
        add(value)
    add_vocabulary(writer, spm)
    state = {}
    for name, kind in kinds.items():
        part = name.split(".")[-1]
        rows, columns = shapes[part]
        data = blocks(random, kind, rows, columns, 1.5 * columns**-0.5 if part != "token_embd" else 0.1)
        writer.add_tensor(name + ".weight", data, raw_dtype=kind)
        values = gguf.dequantize(data, kind).astype(np.float32).reshape(rows, columns)
        if part in ("attn_q", "attn_k"):
            values = deinterleave(values, HEAD)
        layer = name.split(".")[1] if "." in name else None
        state[f"model.layers.{layer}.{names[part]}.weight" if layer else "model.embed_tokens.weight"] = values
    norms = [f"blk.{i}.{n}" for i in range(LAYERS) for n in ("attn_norm", "ffn_norm")] + ["output_norm"]
    for name in norms:
        values = random.uniform(0.6, 1.4, HIDDEN).astype(np.float32)
        writer.add_tensor(name + ".weight", values)
        words = name.split(".")
        state["model.norm.weight" if len(words) == 1 else f"model.layers.{words[1]}.{names[words[2]]}.weight"] = values
    finish(writer)
    (folder / "reference.json").write_text(json.dumps(reference(state)))
    # sentencepiece does not look for control tokens in a text; cases with one are cut there, as transformers does.
    def ids(text):
        parts = [spm.encode(part) for part in text.split("</s>")]
        return [1] + [i for n, part in enumerate(parts) for i in ([2] if n else []) + part]

    cases = [json.dumps({"text": text, "ids": ids(text)}, ensure_ascii=False) for text in TEXTS]
    (folder / "tokens.json").write_text("[\n" + ",\n".join(cases) + "\n]\n")


def linear_int8(linear):
    """A product whose inputs are first quantised to eight bits in groups of 128 (docs/design/0007)."""
    def product(x, weight, bias=None):
        width = min(x.shape[-1], 128)
        groups = x.reshape(-1, x.shape[-1] // width, width)
        scales = groups.abs().amax(-1, keepdim=True).clamp_min(1e-30) / 127
        return linear(((groups / scales).round() * scales).reshape(x.shape), weight, bias)

    return product


def reference(state):
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD, max_position_embeddings=128,
        rms_norm_eps=1e-5, tie_word_embeddings=True, attn_implementation="eager")
    model = LlamaForCausalLM(config).eval()
    missing = model.load_state_dict({k: torch.tensor(v) for k, v in state.items()}, strict=False)
    assert set(missing.missing_keys) <= {"lm_head.weight"} and not missing.unexpected_keys, missing
    model.tie_weights()
    prompts = []
    random = np.random.default_rng(9)
    plain = torch.nn.functional.linear
    for length in (5, 40, 100):
        ids = random.integers(3, VOCABULARY, length).tolist()
        prompt = {"ids": ids}
        for key, product in [("log_probabilities", plain), ("log_probabilities_int8", linear_int8(plain))]:
            torch.nn.functional.linear = product
            with torch.no_grad():
                rows = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
            prompt[key] = [round(rows[i, ids[i + 1]].item(), 6) for i in range(length - 1)]
        torch.nn.functional.linear = plain
        prompts.append(prompt)
    return {"max_model_len": 128, "prompts": prompts}


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    (out / "mixed").mkdir(parents=True, exist_ok=True)
    make_blocks(out / "blocks.gguf")
    make_mixed(out / "mixed")
