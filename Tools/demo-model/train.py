"""Trains the built-in model from scratch on the text of corpus.py and exports it as a Hugging Face checkpoint.

One CPU core is enough: about 3 million weights, bf16 autocast, Muon for the matrices and AdamW for the rest.
    python train.py --out ../../Assets/model --work /tmp/demo-model --minutes 60
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

import corpus
from corpus import BOS, END, EOT, START

VOCAB, SEED, TOKENS_PER_STEP = 3072, 20, 3072
SPLIT = (  # Llama 3's pattern
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = [BOS, EOT, START, END, "<|pad|>"]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim"
    " + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def train_tokenizer() -> Tokenizer:
    """Byte-level BPE on the corpus: every byte is a token, so that any text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    writer = corpus.Writer(SEED)
    texts = (text for _ in range(20_000) for text in plain(writer.sample()))
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    bos = tokenizer.token_to_id(BOS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, bos)])
    return tokenizer


def plain(sample) -> list[str]:
    text = "".join(piece for piece, _ in sample)
    for mark in SPECIAL:
        text = text.replace(mark, "\x00")
    return [part for part in text.split("\x00") if part]


def encode(tokenizer: Tokenizer, sample) -> tuple[list[int], list[bool]]:
    ids, learn = [], []
    for text, wanted in sample:
        piece = tokenizer.encode(text, add_special_tokens=False).ids
        ids += piece
        learn += [wanted] * len(piece)
    return ids, learn


def batches(tokenizer: Tokenizer, seed: int, focus: float):
    """Endless batches of about TOKENS_PER_STEP tokens; samples of like length stand together, padded on the right."""
    writer = corpus.Writer(seed, focus)
    while True:
        pool = sorted((encode(tokenizer, writer.sample()) for _ in range(640)), key=lambda s: len(s[0]))
        groups, group = [], []
        for sample in pool:
            if group and (len(group) + 1) * min(len(sample[0]), 1024) > TOKENS_PER_STEP:
                groups.append(group)
                group = []
            group.append(sample)
        groups.append(group)
        writer.rng.shuffle(groups)
        yield from groups


def tensors(group) -> tuple[torch.Tensor, torch.Tensor]:
    width = min(max(len(ids) for ids, _ in group), 1024)
    inputs = torch.zeros(len(group), width, dtype=torch.long)
    labels = torch.full((len(group), width), -100)
    for row, (ids, learn) in enumerate(group):
        ids, learn = torch.tensor(ids[:width]), torch.tensor(learn[:width])
        inputs[row, : len(ids)] = ids
        labels[row, : len(ids) - 1] = torch.where(learn[1:], ids[1:], -100)
    return inputs, labels


def new_model(args) -> LlamaForCausalLM:
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=VOCAB, hidden_size=args.hidden, intermediate_size=args.ffn, num_hidden_layers=args.layers,
        num_attention_heads=args.hidden // 32, num_key_value_heads=args.hidden // 64, head_dim=32, tie_word_embeddings=True,
        max_position_embeddings=2048, rope_theta=10000.0, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=[1, 3], pad_token_id=4)
    return LlamaForCausalLM(config)


def loss_of(model: LlamaForCausalLM, inputs, labels) -> torch.Tensor:
    """Mean cross-entropy over the tokens to learn; the head is computed for those only."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state
        wanted = labels != -100
        logits = F.linear(hidden[wanted], model.get_input_embeddings().weight)
    return F.cross_entropy(logits.float(), labels[wanted])


def train(model, tokenizer, args) -> float:
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimizers = [
        torch.optim.Muon(matrices, lr=args.lr, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=args.lr, betas=(0.9, 0.95), weight_decay=0.0)]
    began, mean, step, tokens = time.time(), None, 0, 0
    for group in batches(tokenizer, SEED + (2 if args.resume else 1), args.focus):
        done = (time.time() - began) / (args.minutes * 60) if args.steps is None else step / args.steps
        if done >= 1:
            break
        rate = args.lr * min(1, (step + 1) / 30) * (0.5 + 0.5 * math.cos(math.pi * done))
        for optimizer in optimizers:
            for g in optimizer.param_groups:
                g["lr"] = rate
        inputs, labels = tensors(group)
        loss = loss_of(model, inputs, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        step, tokens = step + 1, tokens + inputs.numel()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 20 == 0:
            print(f"step {step} tokens {tokens} loss {mean:.4f} lr {rate:.5f} {tokens / (time.time() - began):.0f} tok/s {done:.1%}", flush=True)
        if step % 100 == 0:
            torch.save(model.state_dict(), args.work / "checkpoint.pt")
    return mean


def export(model: LlamaForCausalLM, tokenizer: Tokenizer, out: Path) -> None:
    """The checkpoint that the binary embeds: bf16 weights and the files that every Hugging Face model has."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {k: v.to(torch.bfloat16).contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    c = model.config
    write(out / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": c.vocab_size, "hidden_size": c.hidden_size,
        "intermediate_size": c.intermediate_size, "num_hidden_layers": c.num_hidden_layers, "num_attention_heads": c.num_attention_heads,
        "num_key_value_heads": c.num_key_value_heads, "head_dim": 32, "hidden_act": "silu", "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None, "attention_bias": False, "mlp_bias": False,
        "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": [1, 3], "pad_token_id": 4, "torch_dtype": "bfloat16"})
    # A small model is readable when it is sampled coolly; a request that names a temperature gets the one that it names.
    write(out / "generation_config.json", {
        "bos_token_id": 0, "eos_token_id": [3, 1], "pad_token_id": 4, "do_sample": True, "temperature": 0.2})
    write(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": END, "pad_token": "<|pad|>",
        "model_max_length": 2048, "clean_up_tokenization_spaces": False, "chat_template": TEMPLATE})
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)


def write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where checkpoints lie while training")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steps", type=int, help="train for so many steps, whatever they take")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--ffn", type=int, default=512)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint of --work")
    parser.add_argument("--focus", type=float, default=0.0, help="share of chats that show only the first words of an answer")
    parser.add_argument("--export-checkpoint", action="store_true", help="export the last checkpoint of --work and stop")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    saved = args.work / "tokenizer.json"
    if args.export_checkpoint:
        model = new_model(args)
        model.load_state_dict(torch.load(args.work / "checkpoint.pt"))
        return export(model, Tokenizer.from_file(str(saved)), args.out)
    if args.resume:
        tokenizer, model = Tokenizer.from_file(str(saved)), new_model(args)
        model.load_state_dict(torch.load(args.work / "checkpoint.pt"))
    else:
        tokenizer, model = train_tokenizer(), new_model(args)
        tokenizer.save(str(saved))
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    loss = train(model, tokenizer, args)
    export(model, tokenizer, args.out)
    print(f"exported, loss {loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
