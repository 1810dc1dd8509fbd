"""Makes the quantised checkpoints of Tests/Fixtures/quantized, with the numbers that they mean and transformers' answers.

    python make_quantized.py ../../Tests/Fixtures/quantized

One small random Llama is quantised in every format. compressed-tensors packs its own; GPTQ, AWQ and fp8 are packed here, as
`QuantLinear.pack` of AutoGPTQ, `WQLinear_GEMM.from_linear` of AutoAWQ and `finegrained_fp8` of transformers do. `reference.json`
holds, for each matrix, the CRC-32 of its numbers (f32, exact) and the first four, and, for a prompt, the log-probabilities
that transformers gives with these numbers in the matrices' places.
"""

import argparse
import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers as T
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import save_file

import weights

CONFIG = dict(
    vocab_size=96, hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=256, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0)
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


class Variant:
    gain, seed = {}, 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    T.logging.set_verbosity_error()
    for name, (store, config) in table().items():
        make(args.out / name, store, config)


def table() -> dict:
    """Name: how a matrix is stored, and what config.json says."""
    rows = {}

    def gptq(name, bits, group, **more):
        options = dict(sym=True, version=1, order=False) | more
        rows[name] = (lambda w, g: pack_gptq(w, g, bits, group, **options), dict(
            quant_method="gptq", bits=bits, group_size=group or -1, sym=options["sym"], desc_act=options["order"],
            checkpoint_format="gptq_v2" if options["version"] == 2 else "gptq"))

    gptq("gptq-int4-group32", 4, 32)
    gptq("gptq-int4-asymmetric-group64", 4, 64, sym=False)
    gptq("gptq-v2-int4-asymmetric-row", 4, None, sym=False, version=2)
    gptq("gptq-int8-group32", 8, 32)
    gptq("gptq-int3-group32", 3, 32)
    gptq("gptq-int2-asymmetric-group16", 2, 16, sym=False)
    gptq("gptq-int4-act-order", 4, 32, order=True)
    rows["awq-group32"] = (lambda w, g: pack_awq(w, g, 32), dict(
        quant_method="awq", bits=4, group_size=32, zero_point=True, version="gemm", modules_to_not_convert=None))

    def compressed(name, format, weights, order=False, **more):
        args = QuantizationArgs(**weights)
        weights |= {"actorder": "group"} if order else {}
        rows[name] = (lambda w, g: pack_compressed(w, g, format, args, order), dict(
            quant_method="compressed-tensors", format=format, quantization_status="compressed", ignore=["lm_head"],
            kv_cache_scheme=None, config_groups={"group_0": {"targets": ["Linear"], "weights": weights} | more}))

    dynamic = {"input_activations": {"num_bits": 8, "type": "int", "strategy": "token", "dynamic": True, "symmetric": True}}
    compressed("compressed-w8a8-channel", "int-quantized", dict(num_bits=8, type="int", strategy="channel", symmetric=True), **dynamic)
    compressed("compressed-w8a16-asymmetric-group32", "int-quantized", dict(num_bits=8, type="int", strategy="group", group_size=32, symmetric=False))
    compressed("compressed-w8a16-packed", "pack-quantized", dict(num_bits=8, type="int", strategy="channel", symmetric=True))
    compressed("compressed-w4a16-group32", "pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=32, symmetric=True))
    compressed("compressed-w4a16-asymmetric-group64", "pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=64, symmetric=False))
    compressed("compressed-w4a16-act-order", "pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=32, symmetric=True), order=True)
    compressed("compressed-fp8-channel", "float-quantized", dict(num_bits=8, type="float", strategy="channel", symmetric=True))
    compressed("compressed-fp8-tensor", "float-quantized", dict(num_bits=8, type="float", strategy="tensor", symmetric=True))
    rows["fp8-blocks"] = (lambda w, g: pack_fp8(w, 32), dict(quant_method="fp8", activation_scheme="dynamic", weight_block_size=[32, 32]))
    rows["fp8-tensor-static"] = (lambda w, g: pack_fp8(w, None), dict(quant_method="fp8", activation_scheme="static"))
    return rows


def make(path: Path, store, quantization: dict) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    torch.manual_seed(0)
    config = T.LlamaConfig(**CONFIG, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    model = T.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    weights.fill(model, Variant)
    generator = torch.Generator().manual_seed(7)
    tensors, matrices = {}, {}
    for name, value in model.state_dict().items():
        module = name.removesuffix(".weight")
        if not module.endswith("_proj"):
            tensors[name] = value.to(torch.float16)
            value.copy_(tensors[name].float())
            continue
        stored, numbers = store(value.clone(), generator)
        tensors |= {f"{module}.{key}": t.contiguous() for key, t in stored.items()}
        value.copy_(numbers)
        matrices[name] = {"crc32": zlib.crc32(numbers.float().numpy().tobytes()), "first": numbers.flatten()[:4].tolist()}
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    fields = {key: item for key, item in config.to_dict().items() if key in CONFIG}
    fields |= {"architectures": ["LlamaForCausalLM"], "rope_theta": 10000.0, "torch_dtype": "float16", "quantization_config": quantization}
    (path / "config.json").write_text(json.dumps(fields, indent=1) + "\n")
    ids = [1] + torch.randint(3, 96, (39,), generator=generator).tolist()
    with torch.no_grad():
        table = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
    given = table[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    report = {"transformers": T.__version__, "torch": torch.__version__.split("+")[0], "max_model_len": 128,
              "prompts": [{"ids": ids, "log_probabilities": [round(x, 6) for x in given.tolist()]}], "matrices": matrices}
    (path / "reference.json").write_text(json.dumps(report, separators=(",", ":")).replace('"model.', '\n"model.') + "\n")
    print(path.name, sum(f.stat().st_size for f in path.iterdir()))


def quantized(w, bits: int, groups, count: int, symmetric: bool):
    """Codes [out, in], scales and zero points [out, groups]: round to nearest, scales rounded to f16."""
    rows, top = w.shape[0], 2**bits - 1
    codes, scales, zeros = torch.empty(w.shape, dtype=torch.int64), torch.empty(rows, count), torch.empty(rows, count, dtype=torch.int64)
    for g in range(count):
        part = w[:, groups == g]
        low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
        if symmetric:
            high = torch.maximum(high, -low)
            low = -high
        scale = ((high - low) / top).clamp(min=1e-4).half().float()
        zero = torch.full((rows,), 2 ** (bits - 1)) if symmetric else (-low / scale).round().clamp(0, top).long()
        codes[:, groups == g] = ((part / scale[:, None]).round().long() + zero[:, None]).clamp(0, top)
        scales[:, g], zeros[:, g] = scale, zero
    return codes, scales, zeros


def stream(values: torch.Tensor, bits: int) -> torch.Tensor:
    """Integers [n, m] as streams of bits along n, lowest first, in words: [n * bits / 32, m]."""
    lanes = (values.numpy()[:, :, None] >> np.arange(bits)) & 1  # [n, m, bits]
    lanes = lanes.transpose(0, 2, 1).reshape(-1, 32, values.shape[1]).astype(np.uint64)
    words = (lanes << np.arange(32, dtype=np.uint64)[None, :, None]).sum(1).astype(np.uint32)
    return torch.from_numpy(words.view(np.int32).copy())


def pack_gptq(w, generator, bits: int, group, sym: bool, version: int, order: bool):
    width = w.shape[1]
    group = group or width
    index = torch.arange(width) // group
    if order:
        index = index[torch.randperm(width, generator=generator)]
    codes, scales, zeros = quantized(w, bits, index, width // group, sym)
    if version == 1:
        zeros = zeros.clamp(min=1)  # a zero of 0 cannot be stored less one
        codes = ((w / scales[:, index]).round().long() + zeros[:, index]).clamp(0, 2**bits - 1)
    numbers = scales[:, index] * (codes - zeros[:, index])
    stored = zeros - (1 if version == 1 else 0)
    return {"qweight": stream(codes.T.contiguous(), bits), "qzeros": stream(stored, bits).T, "scales": scales.T.half(),
            "g_idx": index.int()}, numbers.half().float() if order else numbers


def pack_awq(w, generator, group: int):
    index = torch.arange(w.shape[1]) // group
    codes, scales, zeros = quantized(w, 4, index, w.shape[1] // group, False)

    def words(values):  # [n, out] -> [n, out / 8]
        ordered = values.reshape(values.shape[0], -1, 8)[:, :, AWQ_ORDER]
        return (ordered << (4 * torch.arange(8))).sum(2).to(torch.uint32).view(torch.int32)

    numbers = scales[:, index] * (codes - zeros[:, index])
    return {"qweight": words(codes.T), "qzeros": words(zeros.T), "scales": scales.T.half()}, numbers


def pack_fp8(w, block):
    rows, columns = w.shape
    size = (block, block) if block else (rows, columns)
    blocks = w.reshape(rows // size[0], size[0], columns // size[1], size[1])
    scale = blocks.abs().amax((1, 3)) / 448
    codes = (blocks / scale[:, None, :, None]).reshape(rows, columns).to(torch.float8_e4m3fn)
    numbers = (codes.float().reshape(blocks.shape) * scale[:, None, :, None]).reshape(rows, columns)
    if block:
        return {"weight": codes, "weight_scale_inv": scale}, numbers
    return {"weight": codes, "weight_scale": scale.reshape(()), "input_scale": torch.tensor(0.03)}, numbers


def pack_compressed(w, generator, format: str, args: QuantizationArgs, order: bool):
    """What the library stores, and what it reads from that."""
    rows, width = w.shape
    index = torch.arange(width) // (args.group_size or width)
    if order:
        index = index[torch.randperm(width, generator=generator)]
    count = int(index.max()) + 1
    if args.type == "float":
        scales = w.abs().amax(1, keepdim=True) / 448 if args.strategy == "channel" else w.abs().amax().reshape(1) / 448
        zeros = None
    else:
        _, scales, zeros = quantized(w, args.num_bits, index, count, args.symmetric)
        zeros = None if args.symmetric else (zeros - 2 ** (args.num_bits - 1)).to(torch.int8)
    if order:  # older releases wrote the groups' order, the one at hand does not
        codes, _, middle = quantized(w, args.num_bits, index, count, True)
        numbers = scales[:, index] * (codes - middle[:, index])
        return {"weight_packed": pack_to_int32((codes - 8).to(torch.int8), 4), "weight_shape": torch.tensor(w.shape),
                "weight_scale": scales.half(), "weight_g_idx": index.int()}, numbers.half().float()
    state = {"weight": w, "weight_scale": scales}
    if zeros is not None:
        state["weight_zero_point"] = zeros
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    compressor = BaseCompressor.get_value_from_registry(format)
    stored = compressor.compress(dict(state), scheme)
    return stored, compressor.decompress(dict(stored), scheme)["weight"].float()


if __name__ == "__main__":
    main()
