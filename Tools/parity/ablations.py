"""Leaves out one feature of a checkpoint at a time, to show that the reference would notice."""

import copy
import re

import torch
import torch.nn.functional as F
import transformers as T
from torch import nn

NORMS = {
    "input norm": r"input_layernorm\.weight", "post-attention norm": r"post_attention_layernorm\.weight",
    "pre-feed-forward norm": r"pre_feedforward_layernorm\.weight", "post-feed-forward norm": r"post_feedforward_layernorm\.weight",
    "final norm": r"(?<!layer)\.norm\.weight", "q norm weight": r"q_norm\.weight", "k norm weight": r"k_norm\.weight"}
BIASES = {f"{x} bias": rf"{x}_proj\.bias" for x in ("q", "k", "v", "o", "gate", "up", "down")}


def load(path, config=None):
    """The stored weights in f32 arithmetic with plain attention and plain experts."""
    config = config or T.AutoConfig.from_pretrained(path)
    kind = getattr(T, config.architectures[0])
    model = kind.from_pretrained(path, config=config, dtype=torch.float32, attn_implementation="eager").eval()
    if hasattr(model, "set_experts_implementation"):
        model.set_experts_implementation("eager")
    return model


def ablations(path):
    """Yields `(feature, model without it)` for everything that this checkpoint has."""
    config = T.AutoConfig.from_pretrained(path)
    text = config.get_text_config()
    base = load(path)
    language = [name for name, _ in base.named_parameters() if "vision" not in name and "multi_modal" not in name]
    for feature, pattern in (NORMS | BIASES).items():
        if names := [name for name in language if re.search(pattern, name)]:
            yield feature, neutral(load(path), names)
    yield from config_changes(path, config, text)
    yield from module_changes(path, text, base)


def neutral(model, names):
    for name in names:
        p = model.get_parameter(name)
        p.data.fill_(0.0 if name.endswith("bias") or "Gemma" in type(model).__name__ else 1.0)
    return model


def config_changes(path, config, text):
    def changed(**values):
        other = copy.deepcopy(config)
        for key, item in values.items():
            setattr(other.get_text_config(), key, item)
        return load(path, other)

    act = "hidden_activation" if hasattr(text, "hidden_activation") else "hidden_act"
    yield "activation (silu / gelu swapped)", changed(**{act: "silu" if "gelu" in getattr(text, act) else "gelu_pytorch_tanh"})
    window, types = getattr(text, "sliding_window", None), getattr(text, "layer_types", None)
    windowed = window and (types is None or "sliding_attention" in types)
    if windowed:
        yield "window (all full)", changed(sliding_window=100_000)
        yield "window (one more)", changed(sliding_window=window + 1)
    if windowed and types and "full_attention" in types and "gemma3" not in text.model_type:
        yield "window in every layer", changed(layer_types=["sliding_attention"] * len(types))
    for key in ("attn_logit_softcapping", "final_logit_softcapping"):
        if getattr(text, key, None):
            yield key, changed(**{key: None})
    if getattr(text, "query_pre_attn_scalar", None) and text.query_pre_attn_scalar != text.head_dim:
        yield "query_pre_attn_scalar", changed(query_pre_attn_scalar=text.head_dim)
    if text.model_type in ("qwen2_moe", "qwen3_moe"):
        yield "norm_topk_prob flipped", changed(norm_topk_prob=not text.norm_topk_prob)
    if "moe" in text.model_type or text.model_type == "mixtral":
        yield "one expert per token", changed(num_experts_per_tok=1)
    yield from rope_changes(text, changed)


def rope_changes(text, changed):
    rope = copy.deepcopy(text.rope_parameters)
    if "full_attention" in rope:
        for key in rope:
            other = "sliding_attention" if key == "full_attention" else "full_attention"
            yield f"rope of {key}", changed(rope_parameters=rope | {key: rope[other]})
        linear = rope["full_attention"]
        yield "rope scaling linear", changed(rope_parameters=rope | {"full_attention": {k: v for k, v in linear.items() if k != "factor"} | {"rope_type": "default"}})
        return
    plain = {"rope_type": "default", "rope_theta": rope["rope_theta"]}
    if "partial_rotary_factor" in rope:
        plain["partial_rotary_factor"] = rope["partial_rotary_factor"]
    if rope["rope_type"] != "default":
        yield f"rope {rope['rope_type']}", changed(rope_parameters=plain)
    yield "rope_theta doubled", changed(rope_parameters=rope | {"rope_theta": rope["rope_theta"] * 2})
    if rope["rope_type"] == "llama3":
        yield "llama3 smoothing", changed(rope_parameters=rope | {"low_freq_factor": 3.99})
    if rope["rope_type"] in ("yarn", "longrope"):
        yield "rope attention factor", changed(rope_parameters=rope | {"attention_factor": 1.0})
    if rope["rope_type"] == "longrope":
        yield "short_factor", changed(rope_parameters=rope | {"short_factor": [1.0] * len(rope["short_factor"])})
        yield "long_factor", changed(rope_parameters=rope | {"long_factor": rope["short_factor"]})
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        yield "partial_rotary_factor", changed(rope_parameters={k: v for k, v in plain.items() if k != "partial_rotary_factor"})


def module_changes(path, text, base):
    modules = dict(base.named_modules())
    if "gemma" in text.model_type:
        yield "embedding scale", edited(path, ".embed_tokens", lambda m: setattr(m, "embed_scale", torch.tensor(1.0)))
    if any(name.endswith("q_norm") for name in modules):
        yield "q norm", edited(path, ".q_norm", lambda m: setattr(m, "forward", lambda x: x))
        yield "k norm", edited(path, ".k_norm", lambda m: setattr(m, "forward", lambda x: x))
    if any(name.endswith("shared_expert") for name in modules):
        yield "shared expert", edited(path, ".shared_expert", lambda m: setattr(m, "forward", torch.zeros_like))
        yield "shared expert gate", edited(path, ".shared_expert_gate", lambda m: setattr(m, "forward", lambda x: torch.full_like(x[:, :1], 30.0)))
    if not text.tie_word_embeddings:
        yield "untied head", edited(path, "lm_head", lambda m: m.weight.data.copy_(base.get_input_embeddings().weight))
    heads, kv = text.num_attention_heads, text.num_key_value_heads
    if 1 < kv < heads:
        yield "order of grouped heads", regrouped(path, heads, kv)


def edited(path, suffix, edit):
    model = load(path)
    for name, module in model.named_modules():
        if name.endswith(suffix):
            edit(module)
    return model


def regrouped(path, heads, kv):
    """Query head h reads K/V head h mod kv in place of h / (heads / kv): the rows of K and V are dealt out wrongly."""
    model = load(path)
    order = torch.arange(heads).view(kv, heads // kv).t().flatten()
    for name, module in model.named_modules():
        if name.endswith("o_proj") and isinstance(module, nn.Linear):
            head = module.in_features // heads
            module.weight.data = module.weight.view(-1, heads, head)[:, order].flatten(1)
        if name.endswith(("q_proj", "qkv_proj")):
            rows = module.weight if name.endswith(".q_proj") else module.weight[: model.config.hidden_size]
            head = rows.shape[0] // heads
            rows.data.copy_(rows.view(heads, head, -1)[order].flatten(0, 1).clone())
            if module.bias is not None:
                module.bias.data.copy_(module.bias.view(heads, head)[order].flatten().clone())
    return model


def rounded(model):
    """The same model with the inputs of every matrix product, and keys and values, rounded to bf16: what a bf16 kernel sees."""
    def trim(x):
        return x.to(torch.bfloat16).to(x.dtype) if torch.is_tensor(x) and x.is_floating_point() else x

    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) or type(module).__name__.endswith(("Router", "Experts")):
            module.register_forward_pre_hook(lambda _, args: (trim(args[0]), *args[1:]))
        if name.endswith(("k_proj", "v_proj", "qkv_proj")):
            module.register_forward_hook(lambda _, args, out: trim(out))
    return model


def router_margin(model, ids) -> torch.Tensor:
    """The smallest gap between the last chosen and the first refused expert, by position."""
    gaps, hooks = [], []
    for module in model.modules():
        if type(module).__name__.endswith("Router"):
            def note(router, args):
                scores = F.linear(args[0].reshape(-1, router.weight.shape[1]), router.weight).sort(-1, descending=True).values
                gaps.append((scores[:, router.top_k - 1] - scores[:, router.top_k]).view(ids.shape))
            hooks.append(module.register_forward_pre_hook(note))
    with torch.no_grad():
        model(input_ids=ids)
    for hook in hooks:
        hook.remove()
    return torch.stack(gaps).min(0).values if gaps else torch.full(ids.shape, 1e9)
