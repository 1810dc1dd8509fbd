"""Random weights of the right size: large enough that every feature shows, small enough that bf16 rounding does not."""

import math

import torch

# Standard deviations; matrices are divided by the square root of their inner width.
GAIN = dict(
    embed=1.0, tied=1.0, head=1.0, qk=1.4, v=0.9, o=0.9, mlp=1.2, down=1.0, router=1.5, shared_gate=2.0, norm=0.3, qk_norm=0.3, qk_shift=0.3, post_shift=0.0, bias=0.5)
# Tied embeddings are small, so that the layers' outputs are kept small beside them.
TIED = dict(o=0.4, down=0.5)


def fill(model, variant) -> None:
    """Draws every weight of the model from the variant's seed."""
    generator = torch.Generator().manual_seed(1000 + variant.seed)
    tied = model.config.get_text_config().tie_word_embeddings
    gain = GAIN | (TIED if tied else {}) | variant.gain
    for name, p in sorted(model.named_parameters()):
        draw = torch.randn(p.shape, generator=generator)
        p.data = value(name, draw, gain, model, p.shape).to(torch.float32)


def value(name: str, draw: torch.Tensor, gain: dict, model, shape) -> torch.Tensor:
    centre = 0.0 if "Gemma" in type(model).__name__ and "vision" not in name else 1.0
    last = name.split(".")[-2] if name.endswith((".weight", ".bias")) else name.split(".")[-1]
    if name.endswith(".bias"):
        return gain["bias"] * draw
    if last in ("q_norm", "k_norm"):
        return centre + gain["qk_shift"] + gain["qk_norm"] * draw
    if centre == 0.0 and last in ("post_attention_layernorm", "post_feedforward_layernorm"):
        return gain["post_shift"] + gain["norm"] * draw  # Gemma 2 and 3: they set the size of a layer's output
    if "norm" in last:
        return centre + gain["norm"] * draw
    if "embed_tokens" in name:
        tied = model.config.get_text_config().tie_word_embeddings
        return draw * (gain["tied"] / math.sqrt(shape[1]) if tied else gain["embed"])
    scale = 1 / math.sqrt(shape[-1])
    if last == "qkv_proj":
        rows = torch.full((shape[0], 1), gain["qk"])
        rows[-kv_rows(model):] = gain["v"]
        return draw * rows * scale
    kinds = dict(lm_head="head", q_proj="qk", k_proj="qk", v_proj="v", o_proj="o", down_proj="down", gate="router", shared_expert_gate="shared_gate")
    return draw * gain[kinds.get(last, "mlp")] * scale


def kv_rows(model) -> int:
    c = model.config
    return c.num_key_value_heads * (c.hidden_size // c.num_attention_heads)
