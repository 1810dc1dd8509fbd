#!/usr/bin/env python3
"""Counts the instructions of fixed work (scheduler, tokenizer, sampler, kernels) and compares them with instruction_counts.txt.

Benchmarks/counts.py            fails when a family takes over 3% more instructions than the committed count
Benchmarks/counts.py --update   writes the counts of this checkout

Instructions do not depend on what else runs, so that a small loss shows on a busy machine. valgrind knows no AVX-512: kernels
are counted at the AVX2 level, on one thread. Counts belong to a compiler; another one's are not compared.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE / "instruction_counts.txt"
TOLERANCE = 0.03
# The function inside which callgrind counts, as Swift mangles it: InstructionCounts.runCounted().
COUNTED = "$s17InstructionCounts10runCountedyyF"


def skip(reason):
    print(f"Instruction counts are skipped: {reason}")
    sys.exit(0)


def compiler():
    """What the counts belong to: the compiler's version and the machine's architecture."""
    text = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Swift version (\S+)", text)
    return f"Swift {found.group(1) if found else '?'} {os.uname().machine}"


def lacking():
    if not shutil.which("valgrind"):
        return "valgrind is missing. On Debian and Ubuntu: apt-get install valgrind"
    if not (shutil.which("strip") or shutil.which("llvm-strip")):
        return "strip is missing. On Debian and Ubuntu: apt-get install binutils"
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        flags = ""
    return None if " avx2 " in flags else "this machine has no AVX2, at whose level kernels are counted"


def build():
    command = ["swift", "build", "-c", "release", "--package-path", str(HERE), "--product", "InstructionCounts"]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(built.stdout + built.stderr)
    folder = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True).stdout.strip()
    return pathlib.Path(folder) / "InstructionCounts"


def count(binary):
    """Instructions by family, in order."""
    names = subprocess.run([binary, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "counts"
        # valgrind gives up on Swift's debug information.
        subprocess.run([shutil.which("strip") or "llvm-strip", "-g", "-o", stripped, binary], check=True)
        environment = {"PATH": "/usr/bin:/bin", "SWIFT_DETERMINISTIC_HASHING": "1"}
        for name in ("LD_LIBRARY_PATH", "HOME"):
            if name in os.environ:
                environment[name] = os.environ[name]
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={COUNTED}",
             f"--dump-after={COUNTED}", f"--callgrind-out-file={folder}/profile", stripped],
            capture_output=True, text=True, env=environment)
        if run.returncode != 0:
            sys.exit(run.stdout + run.stderr)
        counts = []
        for index in range(1, len(names) + 1):
            profile = pathlib.Path(folder) / f"profile.{index}"
            found = re.search(r"^totals: (\d+)", profile.read_text(), re.MULTILINE) if profile.exists() else None
            counts.append(int(found.group(1)) if found else 0)
    if 0 in counts:
        sys.exit(f"{names[counts.index(0)]} was not counted: callgrind did not see {COUNTED}.")
    return dict(zip(names, counts))


def read_baseline():
    lines = BASELINE.read_text().splitlines()
    counts = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            number, name = line.strip().split(maxsplit=1)
            counts[name] = int(number.replace(",", ""))
    return lines[0].removeprefix("# ").strip(), counts


def write_baseline(owner, counts):
    head = f"# {owner}\n# Instructions of fixed work; written by Benchmarks/counts.py --update\n"
    BASELINE.write_text(head + "".join(f"{number:>12,}  {name}\n" for name, number in counts.items()))


def compare(expected, counts):
    """Lines about what is worse, and about what else has changed."""
    worse, other = [], []
    for name, number in counts.items():
        if name not in expected:
            worse.append(f"{name}: {number:,} instructions, and the baseline does not know it")
            continue
        ratio = number / expected[name] - 1
        line = f"{name}: {number:,} instructions, {ratio:+.1%} against {expected[name]:,}"
        if ratio > TOLERANCE:
            worse.append(line)
        elif ratio < -TOLERANCE:
            other.append(line)
    other += [f"{name}: gone, but still in the baseline" for name in expected if name not in counts]
    return worse, other


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit(__doc__)
    reason = lacking()
    if reason:
        skip(reason)
    owner = compiler()
    known, expected = read_baseline() if BASELINE.exists() else ("", {})
    if not update and known != owner:
        skip(f"they were counted with {known}, and this is {owner}. Benchmarks/counts.py --update counts anew")
    counts = count(build())
    if update:
        write_baseline(owner, counts)
        print(f"{len(counts)} counts written to {BASELINE.relative_to(HERE.parent)}")
        return
    worse, other = compare(expected, counts)
    for line in other:
        print(f"changed  {line}")
    for line in worse:
        print(f"WORSE    {line}")
    if worse:
        sys.exit(
            f"{len(worse)} of {len(counts)} families take over {TOLERANCE:.0%} more instructions. If that is worth it, run "
            "Benchmarks/counts.py --update, commit instruction_counts.txt, and say why in the commit's message.")
    print(f"Instruction counts: {len(counts)} families within {TOLERANCE:.0%} of the baseline or better ({owner}).")


if __name__ == "__main__":
    main()
