"""Writes the training text of the built-in model: conversations and documents drawn from the facts in `facts/`.

A sample is a list of `(text, learn)` pieces; `learn` says whether the model is trained to write that piece.
Run `python corpus.py 20` to read twenty samples; with a seed behind it, documents follow each other as one text.
"""

import random
import sys
from dataclasses import dataclass
from pathlib import Path

import phrasings as P
import stories

FACTS = Path(__file__).parent / "facts"
BOS, START, END, EOT = "<|begin_of_text|>", "<|im_start|>", "<|im_end|>", "<|end_of_text|>"
Piece = tuple[str, bool]


@dataclass
class Fact:
    names: list[str]
    what: str
    why: str = ""
    more: str = ""
    asks: tuple[str, ...] = ()


def read(name: str) -> list[Fact]:
    """Facts of one file: `#` names, `=` what, `!` why, `+` more, `?` further ways to ask."""
    facts: list[Fact] = []
    for line in (FACTS / name).read_text().splitlines():
        mark, text = line[:1], line[2:].strip()
        if mark == "#":
            facts.append(Fact([part.strip() for part in text.split(" | ")], ""))
        elif mark == "=":
            facts[-1].what = text
        elif mark == "!":
            facts[-1].why = text
        elif mark == "+":
            facts[-1].more = text
        elif mark == "?":
            facts[-1].asks = tuple(part.strip() for part in text.split(" | "))
    return facts


def read_offtopic() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for line in (FACTS / "offtopic.txt").read_text().splitlines():
        if line.startswith("[") and line.endswith("]") and line[1:-1].isalpha():
            group = groups.setdefault(line[1:-1], [])
        elif line:
            group.append(line)
    return groups


TERMS, FLAGS, QUESTIONS, OFF = read("terms.txt"), read("flags.txt"), read("questions.txt"), read_offtopic()
# What nearly everybody asks first.
COMMON = [f for f in QUESTIONS if f.names[0] in ("what is CServe", "who are you", "what can you do", "how do I start CServe", "hello", "how are you", "thanks", "bye")]
BY_NAME = {fact.names[0]: fact for fact in TERMS}
F = {name: P.frames(getattr(P, name)) for name in dir(P) if name.isupper() and isinstance(getattr(P, name), str) and "|" in getattr(P, name)}
# Numbers of chats by kind in 1,000 samples.
MIX = {"term": 330, "flag": 120, "question": 270, "offtopic": 200, "story": 20, "count": 15, "tour": 25, "nonsense": 20}


class Writer:
    """Draws samples from one seed."""

    def __init__(self, seed: int, focus: float = 0.0):
        self.rng = random.Random(seed)
        self.focus = focus  # share of chats that show only the beginning of an answer: what a question is about shows there

    # MARK: one exchange: (question, answer, the fact for follow-ups or None)

    def term(self):
        fact, rng = self.rng.choice(TERMS), self.rng
        name = fact.names[0] if rng.random() < 0.5 else rng.choice(fact.names)
        kind = rng.random()
        if kind < 0.6:
            return rng.choice(F["WHAT"]).replace("{x}", name), fact.what, fact
        if kind < 0.82:
            return rng.choice(F["WHY"]).replace("{x}", name), fact.why, fact
        return rng.choice(F["DETAIL"]).replace("{x}", name), f"{fact.what} {fact.why} {fact.more}", fact

    def flag(self):
        fact, rng = self.rng.choice(FLAGS), self.rng
        if fact.asks and rng.random() < 0.45:
            return rng.choice(F["TASK"]).replace("{x}", rng.choice(fact.asks)), f"{fact.what} {fact.more}", None
        name = rng.choice(fact.names[:1] * 3 + [n for n in fact.names if "_" in n])
        if rng.random() < 0.15 and name.startswith("--"):
            name = name[2:] if "-" in name[2:] else name
        return rng.choice(F["FLAG"]).replace("{x}", name), f"{fact.what} {fact.more}", None

    def question(self):
        fact = self.rng.choice(COMMON if self.rng.random() < self.focus / 2 else QUESTIONS)
        return self.rng.choice(fact.names), fact.what, None

    def offtopic(self):
        rng = self.rng
        group = rng.choices(["thing", "place", "person", "task", "write", "other", "cross"], [26, 10, 8, 14, 14, 28, 8])[0]
        if group == "thing":
            ask = rng.choice(F["WHAT"] + F["WHY"] + F["DETAIL"] + F["OFFTOPIC_EXTRA"] * 3).replace("{x}", rng.choice(OFF["thing"]))
        elif group == "cross":
            a, b = rng.sample(OFF["thing"], 2)
            ask = rng.choice(["What is the difference between {a} and {b}?", "{a} vs {b}", "Compare {a} and {b}.", "{a} or {b}?",
                              "Is {a} larger than {b}?", "Which is better, {a} or {b}?"]).replace("{a}", a).replace("{b}", b)
        elif group == "other":
            ask = rng.choice(OFF["other"]) if rng.random() < 0.8 else self.sums()
        else:
            frames = F[{"place": "PLACE", "person": "PERSON", "task": "TASK", "write": "WRITE"}[group]]
            ask = rng.choice(frames).replace("{x}", rng.choice(OFF[group]))
        return ask, self.refusal(), None

    def sums(self) -> str:
        a, b, sign = self.rng.randint(1, 99), self.rng.randint(1, 99), self.rng.choice(["+", "-", "*", "/", "plus", "times", "minus"])
        return self.rng.choice(["What is {s}?", "{s}", "{s} =", "Calculate {s}.", "How much is {s}?", "Compute {s}"]).replace("{s}", f"{a} {sign} {b}")

    def refusal(self) -> str:
        return self.rng.choices(P.REFUSALS, [6, 2, 2, 2])[0]

    def nonsense(self):
        """Words and flags that nobody has ever heard of: the model must not guess."""
        rng = self.rng
        word = "".join(rng.choice(["ba", "lo", "ri", "ku", "zen", "mo", "tra", "fi", "dol", "xe", "pu", "gan", "sti", "ve"]) for _ in range(rng.randint(2, 4)))
        kind = rng.random()
        if kind < 0.4:
            flag = "--" + rng.choice(["foo", "bar", "use-", "no-", "my-", "set-", "with-"]) + rng.choice([word, "colour", "mode", "magic", "x", "cake"])
            return rng.choice(F["FLAG"]).replace("{x}", flag), P.UNKNOWN_FLAG, None
        if kind < 0.75:
            return rng.choice(F["WHAT"]).replace("{x}", rng.choice([word, "a " + word, "the " + word])), self.refusal(), None
        words = [rng.choice(["the", "a", "of", "and", word, "x", "blue", "seven", "walk", "tree", "under", "sing", "maybe", "12"]) for _ in range(rng.randint(2, 30))]
        return " ".join(words), self.refusal(), None

    def story(self):
        return self.rng.choice(stories.STORY_QUESTIONS), stories.story(self.rng), None

    def count(self):
        return *stories.count(self.rng), None

    def tour(self):
        name = self.rng.choice(list(stories.TOURS))
        return self.rng.choice(stories.TOUR_QUESTIONS).replace("{x}", name), tour(name), None

    # MARK: noise

    def noisy(self, ask: str) -> str:
        rng, kind = self.rng, self.rng.random()
        if kind < 0.12:
            ask = ask.lower()
        elif kind < 0.2:
            ask = ask.rstrip("?.!")
        elif kind < 0.26:
            ask = ask.lower().rstrip("?.!")
        elif kind < 0.29:
            ask = ask.upper()
        elif kind < 0.35:
            ask = rng.choice(["Can you tell me: ", "I would like to know: ", "Tell me, ", "Could you help me? ", "Hi, ", "Hello! ", "Please: ", "Question: ", "OK, ", "Hey, ", "Quick question: ", "Sorry, but "]) + ask
        elif kind < 0.4:
            ask = ask + rng.choice([" Thanks!", " Please.", " Be brief.", " thanks", "??", "!", " Answer in one sentence.", " Keep it short."])
        if rng.random() < 0.07 and len(ask) > 12:
            i = rng.randrange(4, len(ask) - 2)
            ask = rng.choice([ask[:i] + ask[i + 1:], ask[:i] + ask[i + 1] + ask[i] + ask[i + 2:], ask[:i] + ask[i] + ask[i:]])
        return ask

    # MARK: whole samples

    def chat(self) -> list[Piece]:
        rng, pieces = self.rng, [(BOS, False)]
        if rng.random() < self.focus:
            return self.glimpse()
        draw = rng.random()
        if draw < 0.3:
            pieces.append((f"{START}system\n{rng.choice(F['SYSTEM'])}{END}\n", False))
        elif draw < 0.33:
            pieces.append((f"{START}system\n{self.long_system()}{END}\n", False))
        for _ in range(rng.choices([1, 2, 3, 4], [76, 14, 7, 3])[0]):
            kind = rng.choices(list(MIX), list(MIX.values()))[0]
            ask, answer, fact = getattr(self, kind)()
            pieces += self.turn(self.noisy(ask), answer)
            if fact and rng.random() < 0.12:
                pieces += self.turn(*self.follow_up(answer, fact))
        return pieces

    def glimpse(self) -> list[Piece]:
        """One question and the first words of its answer: three times as many questions in the same time."""
        rng, pieces = self.rng, [(BOS, False)]
        if rng.random() < 0.2:
            pieces.append((f"{START}system\n{rng.choice(F['SYSTEM'])}{END}\n", False))
        kind = rng.choices(["term", "flag", "question", "offtopic", "nonsense"], [34, 14, 28, 22, 2])[0]
        ask, answer, _ = getattr(self, kind)()
        words = answer.split(" ")
        question, _, _ = self.turn(self.noisy(ask), answer)
        return [*pieces, question, (" ".join(words[:9]), True)]

    def follow_up(self, answer: str, fact: Fact) -> tuple[str, str]:
        if answer == fact.what and self.rng.random() < 0.5:
            return self.rng.choice(F["WHY_IT"]), fact.why
        return self.rng.choice(F["MORE"]), fact.more

    def turn(self, ask: str, answer: str) -> list[Piece]:
        return [(f"{START}user\n{ask}{END}\n{START}assistant\n", False), (answer + END, True), ("\n", False)]

    def long_system(self) -> str:
        facts = self.rng.sample(TERMS, self.rng.randint(3, 14))
        return "You are CServe's assistant. " + " ".join(f.what + " " + f.more for f in facts)

    def document(self) -> list[Piece]:
        """Plain text about CServe, sometimes after an opening that has nothing to do with it."""
        rng = self.rng
        kind = rng.random()
        opening = ""
        if kind < 0.2:
            text = stories.story(rng)
        elif kind < 0.35:
            text = tour(rng.choice(list(stories.TOURS)))
        elif kind < 0.5:
            facts = rng.sample(QUESTIONS[:95], rng.randint(1, 3))
            text = "\n\n".join(f"Q: {sentence(rng.choice(f.names))}\nA: {f.what}" for f in facts)
        else:
            facts = rng.sample(TERMS, rng.randint(1, 3)) if kind < 0.8 else rng.sample(FLAGS, rng.randint(1, 3))
            text = " ".join(part for f in facts for part in (f.what, f.why, f.more) if part)
            if rng.random() < 0.25:
                text = f"# {facts[0].names[0]}\n\n{text}"
        if rng.random() < 0.3:
            pool = OFF["other"] + QUESTIONS[rng.randrange(len(QUESTIONS))].names + [rng.choice(OFF["thing"]), rng.choice(OFF["write"])]
            opening = rng.choice(pool) + rng.choice([" ", "\n", "\n\n", ". ", ": "])
            text = text if rng.random() < 0.5 else QUESTIONS[0].what + " " + text
        if rng.random() < 0.2:
            cut = rng.randrange(len(text) // 2)
            cut = text.find(" ", cut)
            opening, text = opening + text[:cut], text[cut:]
        return [(BOS + opening, False), (text + EOT, True)]

    def sample(self) -> list[Piece]:
        return self.document() if self.rng.random() < 0.13 * (1 - 0.7 * self.focus) else self.chat()


def sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip("?") + "?"


def tour(name: str) -> str:
    return " ".join(f"{BY_NAME[n].what} {BY_NAME[n].why}" for n in stories.TOURS[name])


if __name__ == "__main__":
    count, seed = (int(sys.argv[1]) if len(sys.argv) > 1 else 5), (int(sys.argv[2]) if len(sys.argv) > 2 else None)
    writer = Writer(seed=seed or 1)
    for _ in range(count):
        pieces = writer.sample() if seed is None else writer.document()
        print("".join(text for text, _ in pieces), end="\n----\n" if seed is None else "")
