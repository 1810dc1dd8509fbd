"""Writes a random Llama in bf16 with the built-in model's tokenizer: weights as transformers initialises them, N(0, 0.02).

    python random_llama.py OUT --hidden 1024 --layers 8      # needs numpy only
    cserve perplexity --model OUT --file TEXT --quantization int4
"""

import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).resolve().parents[2] / "Assets/model"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--scale", type=float, default=0.02, help="standard deviation of the matrices")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ASSETS / name, args.out / name)
    shape = {
        "architectures": ["LlamaForCausalLM"], "vocab_size": json.loads((ASSETS / "config.json").read_text())["vocab_size"],
        "hidden_size": args.hidden, "intermediate_size": args.hidden * 11 // 4, "num_hidden_layers": args.layers,
        "num_attention_heads": args.hidden // 64, "num_key_value_heads": args.hidden // 256 or 1,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "torch_dtype": "bfloat16",
    }
    (args.out / "config.json").write_text(json.dumps(shape, indent=1))
    write(args.out / "model.safetensors", tensors(shape), np.random.default_rng(args.seed), args.scale)


def tensors(shape: dict) -> dict[str, list[int]]:
    hidden, wide = shape["hidden_size"], shape["intermediate_size"]
    keys = shape["num_key_value_heads"] * 64
    all = {"model.embed_tokens.weight": [shape["vocab_size"], hidden], "lm_head.weight": [shape["vocab_size"], hidden]}
    for layer in range(shape["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        all |= {
            at + "input_layernorm.weight": [hidden], at + "post_attention_layernorm.weight": [hidden],
            at + "self_attn.q_proj.weight": [hidden, hidden], at + "self_attn.k_proj.weight": [keys, hidden],
            at + "self_attn.v_proj.weight": [keys, hidden], at + "self_attn.o_proj.weight": [hidden, hidden],
            at + "mlp.gate_proj.weight": [wide, hidden], at + "mlp.up_proj.weight": [wide, hidden],
            at + "mlp.down_proj.weight": [hidden, wide],
        }
    return all | {"model.norm.weight": [hidden]}


def write(path: Path, shapes: dict[str, list[int]], random, scale: float) -> None:
    header, end = {}, 0
    for name, shape in shapes.items():
        first, end = end, end + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [first, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            values = random.standard_normal(shape, np.float32) * np.float32(scale) if len(shape) > 1 else np.ones(shape, np.float32)
            bits = values.view(np.uint32)
            file.write(((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16).tobytes())


if __name__ == "__main__":
    main()
