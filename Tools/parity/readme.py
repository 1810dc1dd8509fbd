"""Writes the README of the parity checkpoints from their reference.json files."""

import json
from pathlib import Path

HEAD = """# Parity checkpoints

Small random checkpoints, one for each family and variant that CServe runs, with the log-probabilities that transformers gives.
All of it is made by `Tools/parity/make_checkpoints.py`; nothing is taken from a published model. To make them again:

    pip install -r Tools/parity/requirements.txt
    python Tools/parity/make_checkpoints.py Tests/Fixtures/checkpoints

`reference.json` holds, for each prompt, the token ids, the log-probability of every id after the first given those before it, and a
greedy continuation (past EOS) with its two likeliest tokens per step. The numbers are f32 arithmetic on the stored weights (bf16, f16
or f32) with eager attention; log-softmax in f64; rounded to 6 decimals. transformers {transformers}, torch {torch}.

- Gemma multiplies embeddings by sqrt(hidden size) cast to the weights' type. In f32 arithmetic it is an f32, so that is what is compared.
- `max_model_len` of a prompt is the length that length-dependent rope (dynamic, longrope) is fixed for. transformers uses the length
  of the forward pass, so it is the prompt's own length, or the original length for prompts within it. Continuations that would cross
  the length are left out. Everywhere else the field at the top holds.
- Prompts of expert models are drawn so that no choice of experts is close; continuations end where one would be.
- Adjust nothing by hand: weights are scaled so that leaving out any one feature moves the log-probability of some prompt token by at
  least ten CPU tolerances (10 x 0.05 = 0.5), while rounding the inputs of every matrix product, keys and values to bf16 moves none by
  more than {noise}. The script checks both and fails otherwise. The table shows what each feature is worth, in nats.

| checkpoint | stored | kB | bf16 rounding | least feature | features left out, and the change |
|---|---|---|---|---|---|
"""


def write(out: Path) -> None:
    rows, versions = [], {}
    for path in sorted(p for p in out.iterdir() if (p / "reference.json").exists()):
        report = json.loads((path / "reference.json").read_text())
        versions = {"transformers": report["transformers"], "torch": report["torch"]}
        size = sum(f.stat().st_size for f in path.iterdir()) / 1000
        features = ", ".join(f"{name} {shift:.1f}" for name, shift in report["ablations"].items())
        least = min(report["ablations"].values())
        rows.append(f"| {path.name} | {report['stored']} | {size:.0f} | {report['bf16_noise']:.4f} | {least:.2f} | {features} |")
    (out / "README.md").write_text(HEAD.format(noise=0.025, **versions) + "\n".join(rows) + "\n")
