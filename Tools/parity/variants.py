"""The table of parity checkpoints: one row per family and variant, with its config and how it is stored."""

from dataclasses import dataclass, field

import torch
import transformers as T

SMALL = dict(
    vocab_size=160, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=512, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0)
TINY = SMALL | dict(hidden_size=32, intermediate_size=64)
LENGTHS = (5, 17, 48, 200)


# Where the search for weights that show every feature begins, so that making them again takes one try.
FIRST_SEEDS = {
    "llama-mha-f16": 2, "llama3-tied": 3, "llama-linear-new": 3, "llama-yarn-new": 1, "mistral-window": 1, "mistral-head-dim": 2,
    "mixtral-new-f16": 3, "gemma1": 1, "gemma2-new": 1, "gemma3-nested": 3, "gemma3-text": 8, "gemma3-text-old": 8, "qwen2-moe": 3, "phi3-window": 2, "phi4-mini": 1, "phi3-longrope-new": 3, "qwen2-moe-mixed": 5, "qwen3-moe": 2, "qwen2": 1,
    "qwen2.5-tied": 3, "qwen2-window": 3, "qwen2-window-old": 5}


@dataclass
class Variant:
    config: T.PretrainedConfig
    dtype: torch.dtype = torch.bfloat16
    seed: int = 0
    lengths: tuple[int, ...] = LENGTHS
    # The length that length-dependent rope is fixed for, by prompt; none means that it does not matter.
    fixed_lengths: dict[int, int] = field(default_factory=dict)
    old_spelling: str = ""  # "type", "rope_type" or "both": how `rope_scaling` names its kind
    shard: str = ""
    eos: int | list[int] | None = None
    drop: tuple[str, ...] = ()  # keys that older configs do not have
    put: dict = field(default_factory=dict)  # keys that older configs have
    gain: dict[str, float] = field(default_factory=dict)  # by kind of weight: see weights.py


def rope(kind: str, theta: float = 10000.0, **more) -> dict:
    return {"rope_type": kind, "rope_theta": theta, **more}


def table() -> dict[str, Variant]:
    rows: dict[str, Variant] = {}
    llama(rows)
    mistral(rows)
    gemma(rows)
    qwen(rows)
    phi(rows)
    for name, seed in FIRST_SEEDS.items():
        rows[name].seed = seed
    return rows


def llama(rows: dict[str, Variant]) -> None:
    C = T.LlamaConfig
    rows["llama-mha-f32"] = Variant(
        C(**SMALL | dict(num_key_value_heads=4, num_hidden_layers=2, hidden_size=48, vocab_size=131), rope_parameters=rope("default")),
        dtype=torch.float32, old_spelling="type")
    rows["llama-mha-f16"] = Variant(C(**SMALL | dict(num_key_value_heads=4, intermediate_size=88)), dtype=torch.float16, eos=2)
    rows["llama3-tied"] = Variant(
        C(**SMALL | dict(tie_word_embeddings=True, vocab_size=200), rope_parameters=rope(
            "llama3", 50000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
        eos=[2, 3, 5], gain=dict(qk=1.1, o=0.3, down=0.4, tied=0.9))
    rows["llama3-old-sharded"] = Variant(
        C(**SMALL, rope_parameters=rope(
            "llama3", 10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)),
        old_spelling="rope_type", shard="100KB", eos=[2, 3])
    rows["llama-linear"] = Variant(C(**SMALL, rope_parameters=rope("linear", factor=4.0)), old_spelling="both")
    rows["llama-linear-new"] = Variant(C(**TINY, rope_parameters=rope("linear", factor=2.5)))
    rows["llama-dynamic"] = Variant(
        C(**SMALL | dict(max_position_embeddings=64), rope_parameters=rope("dynamic", factor=4.0)),
        lengths=(40, 120, 200), fixed_lengths={40: 64, 120: 120, 200: 200}, old_spelling="type")
    rows["llama-dynamic-new"] = Variant(
        C(**TINY | dict(max_position_embeddings=64), rope_parameters=rope("dynamic", factor=2.0)),
        lengths=(40, 150), fixed_lengths={40: 64, 150: 150})
    rows["llama-yarn"] = Variant(
        C(**SMALL, rope_parameters=rope("yarn", factor=8.0, original_max_position_embeddings=64)), old_spelling="both", gain=dict(qk=1.2))
    rows["llama-yarn-new"] = Variant(C(**TINY, rope_parameters=rope(
        "yarn", 20000.0, factor=4.0, original_max_position_embeddings=128, beta_fast=16.0, beta_slow=2.0, attention_factor=1.3)), gain=dict(qk=1.2))
    rows["llama-bias"] = Variant(C(**SMALL | dict(attention_bias=True, mlp_bias=True)), gain=dict(head=1.4))
    rows["code-llama"] = Variant(
        C(**SMALL | dict(num_key_value_heads=4, vocab_size=176, intermediate_size=80), rope_parameters=rope("default", 1e6)),
        old_spelling="type", drop=("head_dim", "attention_bias", "mlp_bias"))


def mistral(rows: dict[str, Variant]) -> None:
    rows["mistral-window"] = Variant(
        T.MistralConfig(**SMALL, sliding_window=16, rope_parameters=rope("default")), old_spelling="type", drop=("head_dim",))
    rows["mistral-head-dim"] = Variant(
        T.MistralConfig(**SMALL | dict(head_dim=24), sliding_window=None, rope_parameters=rope("default", 1e6)))
    experts = dict(num_local_experts=4, num_experts_per_tok=2, sliding_window=None)
    rows["mixtral"] = Variant(
        T.MixtralConfig(**TINY | dict(intermediate_size=48), **experts, rope_parameters=rope("default", 1e6)), old_spelling="type")
    rows["mixtral-new-f16"] = Variant(
        T.MixtralConfig(**TINY | dict(intermediate_size=40, num_hidden_layers=2), **experts | dict(num_local_experts=8)),
        dtype=torch.float16, lengths=(5, 24, 100), gain=dict(head=1.1, mlp=1.5, qk=1.5))


def gemma(rows: dict[str, Variant]) -> None:
    tied = dict(tie_word_embeddings=True, head_dim=16)
    rows["gemma1"] = Variant(
        T.GemmaConfig(**SMALL | tied | dict(num_key_value_heads=1, num_attention_heads=3), rope_parameters=rope("default")),
        old_spelling="type", eos=1)
    soft = dict(attn_logit_softcapping=3.0, final_logit_softcapping=4.0, query_pre_attn_scalar=8, sliding_window=16)
    rows["gemma2"] = Variant(
        T.Gemma2Config(**TINY | tied | dict(num_hidden_layers=4), **soft, rope_parameters=rope("default")),
        old_spelling="type", drop=("layer_types",), eos=[1, 7])
    rows["gemma2-new"] = Variant(
        T.Gemma2Config(**TINY | tied | dict(num_hidden_layers=3, num_key_value_heads=4), **soft | dict(query_pre_attn_scalar=32)))
    both = {"full_attention": rope("linear", 1e6, factor=8.0), "sliding_attention": rope("default", 10000.0)}
    calm = dict(qk_shift=0.0, post_shift=-0.6, norm=0.25)
    text = TINY | tied | dict(num_hidden_layers=6, sliding_window=16, query_pre_attn_scalar=8)
    rows["gemma3-text"] = Variant(T.Gemma3TextConfig(**text, rope_parameters=both), eos=[1, 6], gain=calm)
    rows["gemma3-text-old"] = Variant(
        T.Gemma3TextConfig(**text, rope_parameters=both), old_spelling="rope_type", drop=("layer_types",), put={"sliding_window_pattern": 6}, gain=calm)
    vision = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14)
    rows["gemma3-nested"] = Variant(
        T.Gemma3Config(text_config=T.Gemma3TextConfig(**text | dict(num_hidden_layers=7), rope_parameters=both).to_dict(),
                       vision_config=vision, mm_tokens_per_image=4, image_token_index=150, boi_token_index=151, eoi_token_index=152,
                       tie_word_embeddings=True, pad_token_id=0, bos_token_id=1, eos_token_id=2), eos=[1, 6], gain=calm)


def qwen(rows: dict[str, Variant]) -> None:
    one = dict(rope_parameters=rope("default", 1e6))
    rows["qwen2"] = Variant(T.Qwen2Config(**SMALL, **one), old_spelling="type", drop=("layer_types",), eos=[2, 4])
    rows["qwen2.5-tied"] = Variant(T.Qwen2Config(**SMALL | dict(tie_word_embeddings=True), **one))
    rows["qwen2-window"] = Variant(
        T.Qwen2Config(**SMALL, use_sliding_window=True, sliding_window=16, max_window_layers=1, **one))
    rows["qwen2-window-old"] = Variant(
        T.Qwen2Config(**TINY, use_sliding_window=True, sliding_window=12, max_window_layers=2, **one),
        old_spelling="type", drop=("layer_types",))
    rows["qwen3"] = Variant(T.Qwen3Config(**SMALL | dict(head_dim=24), **one), eos=[2, 4])
    rows["qwen3-tied-old"] = Variant(
        T.Qwen3Config(**TINY | dict(head_dim=16, tie_word_embeddings=True), **one), old_spelling="type", drop=("layer_types",),
        gain=dict(qk_shift=0.1, o=0.3, down=0.4))
    moe = dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24)
    low = dict(rope_parameters=rope("default", 10000.0))
    loud = dict(router=0.9, down=1.7, mlp=1.4, bias=0.7)
    rows["qwen2-moe"] = Variant(T.Qwen2MoeConfig(
        **TINY, **moe, shared_expert_intermediate_size=48, norm_topk_prob=False, decoder_sparse_step=1, **low),
        old_spelling="type", drop=("layer_types",), gain=loud)
    rows["qwen2-moe-mixed"] = Variant(T.Qwen2MoeConfig(
        **TINY | dict(num_hidden_layers=4), **moe, shared_expert_intermediate_size=32, norm_topk_prob=True, decoder_sparse_step=2,
        mlp_only_layers=[3], **low), gain=loud)
    rows["qwen3-moe"] = Variant(T.Qwen3MoeConfig(
        **TINY | dict(head_dim=16), **moe | dict(num_experts=8), norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[1], **low), gain=loud)
    rows["qwen3-moe-old"] = Variant(T.Qwen3MoeConfig(
        **TINY | dict(head_dim=16), **moe, norm_topk_prob=False, decoder_sparse_step=1, mlp_only_layers=[], **low), old_spelling="type", gain=loud)


def phi(rows: dict[str, Variant]) -> None:
    def factors(pairs: int) -> dict:
        return dict(short_factor=[1.0 + 0.15 * i for i in range(pairs)], long_factor=[1.5 + 1.1 * i for i in range(pairs)])

    rows["phi3"] = Variant(T.Phi3Config(**SMALL, rope_parameters=rope("default")), old_spelling="type", eos=[2, 9])
    rows["phi3-window"] = Variant(T.Phi3Config(**SMALL, sliding_window=15, rope_parameters=rope("default")))
    rows["phi3-longrope"] = Variant(
        T.Phi3Config(**SMALL, original_max_position_embeddings=64, rope_parameters=rope("longrope", **factors(8))),
        lengths=(5, 40, 150, 200), fixed_lengths={5: 64, 40: 64, 150: 150, 200: 200}, old_spelling="type", gain=dict(qk=1.1))
    rows["phi4-mini"] = Variant(
        T.Phi3Config(**SMALL | dict(tie_word_embeddings=True), original_max_position_embeddings=64, rope_parameters=rope(
            "longrope", partial_rotary_factor=0.75, **factors(6))),
        lengths=(40, 150), fixed_lengths={40: 64, 150: 150}, old_spelling="type", gain=dict(qk=0.85, o=0.35, down=0.4, tied=0.85))
    rows["phi3-longrope-new"] = Variant(
        T.Phi3Config(**SMALL, original_max_position_embeddings=64, sliding_window=24,
                     rope_parameters=rope("longrope", 500.0, **factors(8))),
        lengths=(40, 50, 150, 200), fixed_lengths={40: 64, 50: 64, 150: 150, 200: 200}, gain=dict(qk=1.1, head=0.9))
