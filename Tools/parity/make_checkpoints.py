"""Makes the random checkpoints of Tests/Fixtures/checkpoints with the log-probabilities that transformers gives.

    python make_checkpoints.py ../../Tests/Fixtures/checkpoints            # all of them, and the README's table
    python make_checkpoints.py ../../Tests/Fixtures/checkpoints --only phi # those whose name begins so
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers as T

import ablations
import readme
import variants
import weights

NEW_TOKENS, TOLERANCE, NOISE, SEEDS = 12, 0.05, 0.025, 10
ROUTER_GAP = 0.08  # experts whose scores are closer than this might be swapped by rounding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", default=[""], help="beginnings of names")
    args = parser.parse_args()
    torch.set_num_threads(1)
    T.logging.set_verbosity_error()
    T.logging.disable_progress_bar()
    failures = []
    for name, variant in variants.table().items():
        if name.startswith(tuple(args.only)):
            failures += make(args.out / name, variant)
    readme.write(args.out)
    for failure in failures:
        print("FAILED", failure)
    raise SystemExit(1 if failures else 0)


def make(path: Path, variant) -> list[str]:
    """Tries seeds until every feature shows and rounding does not."""
    best = None
    for seed in range(variant.seed, variant.seed + SEEDS):
        variant.seed = seed
        store(path, variant)
        report = refer(path, variant)
        if report is None:
            continue
        missed = [f for f, shift in report["ablations"].items() if shift < 10 * TOLERANCE]
        print(f"{path.name} seed {seed} noise {report['bf16_noise']:.4f} least {min(report['ablations'].values()):.2f}", *missed, sep="  ", flush=True)
        score = (len(missed) + (report["bf16_noise"] > NOISE), report["bf16_noise"])
        if best is None or score < best[0]:
            best = (score, seed)
        if score[0] == 0:
            return []
    return [f"{path.name}: {best}"]


def store(path: Path, variant) -> None:
    """Saves the checkpoint as a publisher would."""
    shutil.rmtree(path, ignore_errors=True)
    torch.manual_seed(0)
    kind = T.AutoModelForImageTextToText if hasattr(variant.config, "vision_config") else T.AutoModelForCausalLM
    model = kind.from_config(variant.config)
    weights.fill(model, variant)
    if variant.eos is not None:
        model.generation_config = T.GenerationConfig(bos_token_id=1, eos_token_id=variant.eos, pad_token_id=0)
    model.to(variant.dtype).save_pretrained(path, **({"max_shard_size": variant.shard} if variant.shard else {}))
    if variant.eos is None:
        (path / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((path / "config.json").read_text())
    if variant.old_spelling:
        config = old(config, variant)
    (path / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    for file in path.iterdir():
        file.chmod(0o644)


def old(config: dict, variant) -> dict:
    """The spelling of transformers 4: rope_theta and rope_scaling at the top level, torch_dtype."""
    config = {key: item for key, item in config.items() if key not in variant.drop} | variant.put
    rope = config.pop("rope_parameters")
    if "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
    config["rope_theta"] = rope.pop("rope_theta")
    if "partial_rotary_factor" in rope:
        config["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    kind = rope.pop("rope_type")
    if kind == "longrope":
        config["original_max_position_embeddings"] = rope.pop("original_max_position_embeddings", config.get("original_max_position_embeddings"))
    names = {"type": ["type"], "rope_type": ["rope_type"], "both": ["rope_type", "type"]}[variant.old_spelling]
    config["rope_scaling"] = None if kind == "default" else rope | {name: kind for name in names}
    config["torch_dtype"] = config.pop("dtype")
    return config


def refer(path: Path, variant) -> dict | None:
    """Writes reference.json: prompts, their log-probabilities, greedy continuations, and what each feature is worth.

    Nothing, if rounding to bf16 already shows too much.
    """
    model = ablations.load(path)
    generator = torch.Generator().manual_seed(variant.seed)
    usable = variant.config.get_text_config().vocab_size - (16 if hasattr(variant.config, "vision_config") else 0)
    prompts = [prompt(model, length, usable, generator) for length in variant.lengths]
    expected = [log_probabilities(model, ids) for ids in prompts]
    noise = distance(ablations.rounded(ablations.load(path)), prompts, expected)
    if noise > NOISE:
        print(f"{path.name} seed {variant.seed} noise {noise:.4f}", flush=True)
        return None
    report = {
        "transformers": T.__version__, "torch": torch.__version__.split("+")[0], "arithmetic": "f32 on the stored weights, eager attention",
        "stored": str(variant.dtype).removeprefix("torch."), "seed": variant.seed,
        "max_model_len": 256, "bf16_noise": round(noise, 6),
        "ablations": {f: round(distance(m, prompts, expected), 3) for f, m in ablations.ablations(path)},
        "prompts": [entry(model, ids, table, variant) for ids, table in zip(prompts, expected)]}
    (path / "reference.json").write_text(compact(report))
    return report


def prompt(model, length: int, vocabulary: int, generator) -> list[int]:
    """Random ids after BOS. Where experts are chosen, ids that leave the choice to rounding are drawn again."""
    ids = [1] + torch.randint(3, vocabulary, (length - 1,), generator=generator).tolist()
    if not any(type(m).__name__.endswith("Router") for m in model.modules()):
        return ids
    ids = [1]
    while len(ids) < length:
        tries = torch.randint(3, vocabulary, (16, 1), generator=generator)
        rows = torch.cat([torch.tensor([ids] * 16), tries], 1)
        ids.append(int(tries[ablations.router_margin(model, rows)[:, -1].argmax()]))
    return ids


@torch.no_grad()
def log_probabilities(model, ids: list[int]) -> torch.Tensor:
    return model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)


def given(ids: list[int], table: torch.Tensor) -> torch.Tensor:
    """The log-probability of each id after the first, given those before it."""
    return table[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def distance(model, prompts, expected) -> float:
    """The largest change of the log-probability of any prompt token."""
    return max(float((given(ids, log_probabilities(model, ids)) - given(ids, table)).abs().max()) for ids, table in zip(prompts, expected))


def entry(model, ids: list[int], table: torch.Tensor, variant) -> dict:
    out = {"ids": ids, "log_probabilities": [round(x, 6) for x in given(ids, table).tolist()]}
    fixed = variant.fixed_lengths.get(len(ids))
    if fixed:
        out["max_model_len"] = fixed
    if not fixed or len(ids) + NEW_TOKENS <= fixed:
        out["greedy"] = greedy(model, ids)
    return out


def greedy(model, ids: list[int]) -> list[dict]:
    """The likeliest token step by step, past any EOS; it ends early where rounding could choose other experts."""
    ids, steps = list(ids), []
    for _ in range(NEW_TOKENS):
        if float(ablations.router_margin(model, torch.tensor([ids]))[0, -1]) < ROUTER_GAP / 2:
            break
        top = log_probabilities(model, ids)[-1].topk(2)
        first, second = top.values.tolist()
        steps.append({"id": int(top.indices[0]), "log_probability": round(first, 6), "second": int(top.indices[1]), "second_log_probability": round(second, 6)})
        ids.append(int(top.indices[0]))
    return steps


def compact(report: dict) -> str:
    """JSON with one line per prompt and per top-level field."""
    lines = [f" {json.dumps(key)}: {json.dumps(item)}" for key, item in report.items() if key != "prompts"]
    prompts = ",\n".join("  " + json.dumps(p, separators=(",", ":")) for p in report["prompts"])
    return "{\n" + ",\n".join(lines) + ',\n "prompts": [\n' + prompts + "\n ]\n}\n"


if __name__ == "__main__":
    main()
