"""Asks the exported model questions that are not in its corpus, prints its greedy answers and counts those that are right.

    python evaluate.py ../../Assets/model            # all answers and the share that is right
    python evaluate.py ../../Assets/model --sample 3 # also three sampled answers to a few questions
"""

import argparse
import re
from pathlib import Path

import torch
import transformers as T

import corpus
import stories

NO = r"small built-in model|do not know that flag"


def cases() -> list[tuple[str, str]]:
    """Pairs of a question and a pattern that a right answer has, from held_out.txt."""
    lines = (Path(__file__).parent / "facts" / "held_out.txt").read_text().splitlines()
    return [tuple(line.split(" => ")) for line in lines if " => " in line]


def plain(text: str) -> str:
    return text.lower().rstrip("?.! ")


def known() -> set[str]:
    """Every question that the corpus can ask word for word, but for case and closing marks."""
    asks = {name for fact in corpus.QUESTIONS for name in fact.names} | set(corpus.OFF["other"]) | set(stories.STORY_QUESTIONS)
    asks |= {ask.replace("{x}", tour) for ask in stories.TOUR_QUESTIONS for tour in stories.TOURS}
    groups = [("WHAT WHY DETAIL", [n for f in corpus.TERMS for n in f.names]), ("FLAG", [n for f in corpus.FLAGS for n in f.names]),
              ("TASK", [a for f in corpus.FLAGS for a in f.asks] + corpus.OFF["task"]), ("PLACE", corpus.OFF["place"]),
              ("WHAT WHY DETAIL OFFTOPIC_EXTRA", corpus.OFF["thing"]), ("PERSON", corpus.OFF["person"]), ("WRITE", corpus.OFF["write"])]
    for kinds, names in groups:
        asks |= {frame.replace("{x}", name) for kind in kinds.split() for frame in corpus.F[kind] for name in names}
    return {plain(ask) for ask in asks}


class Model:
    def __init__(self, path: Path):
        self.tokenizer = T.AutoTokenizer.from_pretrained(path)
        self.model = T.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()

    def ids(self, messages) -> torch.Tensor:
        return self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)["input_ids"]

    @torch.no_grad()
    def complete(self, ids: torch.Tensor, limit: int = 120, temperature: float = 0.0) -> str:
        out = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=temperature > 0,
            temperature=temperature or None, top_k=None)
        return self.tokenizer.decode(out[0, ids.shape[1]:], skip_special_tokens=True)

    def ask(self, question: str, **options) -> str:
        return self.complete(self.ids([{"role": "user", "content": question}]), **options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="sampled answers per question, at temperature 1")
    parser.add_argument("--quiet", action="store_true", help="print wrong answers only")
    args = parser.parse_args()
    T.logging.set_verbosity_error()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, right, total = Model(args.model), {True: 0, False: 0}, {True: 0, False: 0}
    seen = known()
    for question, pattern in cases():
        assert plain(question) not in seen, f"{question!r} is in the corpus"
        topical = pattern != "NO"
        answer = model.ask(question)
        good = bool(re.search(pattern if topical else NO, answer))
        right[topical] += good
        total[topical] += 1
        if not (good and args.quiet):
            print(f"{'ok ' if good else 'BAD'} {question}\n      {answer}")
    print(f"about CServe and serving: {right[True]} of {total[True]} right; anything else: {right[False]} of {total[False]} refused")
    for prompt in ("CServe is", "The KV cache", "Once upon a time", "The capital of France is", "Hello, my name is", "1, 2, 3,", ""):
        print(f"completion of {prompt!r}: {model.complete(model.tokenizer(prompt, return_tensors='pt').input_ids, 60)!r}")
    for _ in range(args.sample):
        for question in ("What is CServe?", "What is the KV cache?", "How do I start the server?", "Tell me a story.", "Why is the grass green?"):
            print(f"sampled {question}\n      {model.ask(question, temperature=1.0)}")


if __name__ == "__main__":
    main()
