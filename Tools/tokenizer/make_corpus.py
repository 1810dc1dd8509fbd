"""Writes a text corpus of our own, the same on every machine: many scripts, emoji, marks, code, odd white space, noise.

One entry per line, written as JSON strings (so that line breaks and control characters survive).
Usage: make_corpus.py OUT.jsonl [--bytes 1200000] [--seed 1]
"""
import argparse
import json
import random

WORDS = (
    "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which you "
    "were all their there been one who would her when will no if out so what up said about into than its time only could "
    "new them man some these then two first may any like now my such make over our even most me state after also made "
    "Tokenizer don't WE'RE it's I'll they've He'd U.S.A. e-mail C++ naïve façade coöperate O'Neil rock'n'roll CamelCase "
    "snake_case HTTPServer2 x86_64 3.14159 1,000,000 2024-05-17 $99.99 50% #hashtag @user https://example.org/a?b=c&d=1"
).split()
SCRIPTS = {
    "latin": "äöüßéèêñçøåžšćłőűğışÆŒþðĳŉſǅ", "cyrillic": "абвгдеёжзийклмнопрстуфхцчшщъыьэюяЇєіў", "greek": "αβγδεζηθικλμνξοπρστυφχψωΆΈΣς",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשתםןץ", "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويىءآأؤ", "devanagari": "अआइईउऊकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहािीुूेैोौ्ंः",
    "bengali": "অআইঈকখগঘঙচছজঝটঠডঢণতথদধনপফবভমযরলশষসহািীুূ্", "tamil": "அஆஇஈஉகஙசஞடணதநபமயரலவழளறனாிீு்", "thai": "กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวศสหอฮะาิีึืุู่้๊๋์",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", "armenian": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ", "hangul": "가각간갈감강개거건걸고골공과관광구국군그극글기길김나남내너노누는다대도동두드라람러로를리마만말머명모목무문물미민바박반발방배백버번별보본부북분불비빛사산살상새생서석선설성세소속손송수시신실심아안알앙애야어언얼없에여역연열영예오올와왕외요용우운울원월위유육으은을음의이인일임있자작장재저적전정제조종주중지진집차참천철청체초추출충치카코크타태터토통투트파판평포표품프피하학한할함합해행향허험혁현형호화확환활황회후훈휘흐희",
    "han": "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从知使样现象体动向业東京語漢字龍鬱𠮷𡃁", "kana": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをんアイウエオカキクケコガギグゲゴパピプペポヴッャュョー",
    "fullwidth": "ＡＢＣＤａｂｃｄ０１２３！？，．（）「」、。％￥", "math": "𝐀𝐁𝒞𝔇𝕏𝟘𝟙𝟚∑∫√∞≈≠≤≥∂∇⊂⊃∀∃ℝℂℕ½¼²³⅓Ⅳⅻ①②㈠㍿ﬁﬂﷺ",
}
EMOJI = ["😀", "😂", "🥲", "👍", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇯🇵", "❤️", "☕️", "👩🏾‍💻", "🧑‍🚀", "1️⃣", "🫠", "🐈‍⬛", "✨"]
MARKS = ["\u0301", "\u0308", "\u0323", "\u0327", "\u0303", "\u20dd", "\u0651", "\u093c", "\u3099", "\u0345", "\u1abd"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\n\n\n", " \n", "\n ", "\t\t", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\u2029", "\u0085", "\v", "\f", "\r", " \t \n  ", "\u1680", "\u202f", "\ufeff", "\u200c", "\u200d", "\u2060"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["...", "--", "—", "–", "…", "«", "»", "“", "”", "‘", "’", "¿", "¡", "·", "•", "→", "©", "™", "§", "€", "£", "///", "***", "::", "=>", "!=", "&&", "</", "/>"]
SPECIALS = ["<s>", "</s>", "<unk>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|begin_of_text|>", "[INST]", "[/INST]", "<|user|>", "<|end|>", "<start_of_turn>", "<pad>", "<tool>", "WORDTOKEN", "<|im_", "_end|>", "<extra_id_0>", "<norm>", "<NORM>"]
CODE = [
    "def f_{n}(x: int = {n}) -> list[str]:\n    \"\"\"Docstring {w}.\"\"\"\n    return [str(i) for i in range(x) if i % {n} == 0]\n",
    "#include <stdio.h>\nint main(void) {{\n\tprintf(\"%d {w}\\n\", {n});\n\treturn 0;\n}}\n",
    "struct Point{n}: Hashable {{ let x: Double; var {w}: Int? = nil }}\n// TODO-like comment: {w}\n",
    "SELECT {w}, COUNT(*) FROM t{n} WHERE id >= {n} GROUP BY 1 HAVING COUNT(*) > {n};\n",
    "{{\"{w}\": [{n}, {n}.5e-3, null, true], \"nested\": {{\"k\": \"v\\u00e9\\n\"}}}}\n",
    "<div class=\"c{n}\"><a href=\"/p/{n}\">{w}</a><!-- {w} --></div>\n",
    "fn {w}_{n}<'a, T: Clone>(v: &'a [T]) -> Option<&'a T> {{ v.get({n}) }}\n",
    "#!/bin/sh\nset -eu\nfor f in *.{w}; do echo \"$f\" | sed 's/{n}/x/g' >> /tmp/o{n}.log 2>&1; done\n",
    "```\n        indented {w}\n            more {n}\n\tand tabs\n```\n",
]


def word(r):
    kind = r.random()
    if kind < 0.45:
        text = r.choice(WORDS)
        return r.choice([text, text, text, text.upper(), text.capitalize()])
    if kind < 0.85:
        letters = r.choice(list(SCRIPTS.values()))
        return "".join(r.choice(letters) for _ in range(r.randint(1, 9)))
    if kind < 0.93:
        return str(r.randint(0, 10 ** r.randint(1, 12)))
    letters = "".join(SCRIPTS.values()) + "abcdefghijABCDEFGHIJ"
    return "".join(r.choice(letters) + (r.choice(MARKS) * r.randint(1, 3) if r.random() < 0.3 else "") for _ in range(r.randint(1, 6)))


def scalar(r):
    while True:
        code = r.choice([r.randint(0, 0x7F), r.randint(0, 0x7FF), r.randint(0, 0xFFFF), r.randint(0x10000, 0x1FFFF), r.randint(0, 0x10FFFF)])
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def sentence(r):
    parts = []
    for _ in range(r.randint(3, 25)):
        parts.append(word(r))
        if r.random() < 0.15:
            parts.append(r.choice(PUNCTUATION))
        parts.append(" " if r.random() < 0.85 else r.choice(SPACES))
    return "".join(parts)


def english(r):
    return " ".join(r.choice(WORDS) for _ in range(r.randint(5, 60))) + r.choice([".", "?", "!", "\n"])


def script_text(r):
    letters = r.choice(list(SCRIPTS.values()))
    return " ".join("".join(r.choice(letters) for _ in range(r.randint(1, 12))) for _ in range(r.randint(2, 20)))


def entry(r):
    kind = r.random()
    if kind < 0.25:
        return sentence(r)
    if kind < 0.45:
        return english(r)
    if kind < 0.55:
        return script_text(r)
    if kind < 0.70:
        return r.choice(CODE).format(n=r.randint(0, 9999), w=r.choice(["alpha", "größe", "данные", "値", "userName", "MAX_LEN"]))
    if kind < 0.76:
        return "".join(r.choice(EMOJI + MARKS + PUNCTUATION + [" ", "a", "é"]) for _ in range(r.randint(1, 40)))
    if kind < 0.82:
        return "".join(r.choice(SPACES + ["x", "Ab", "1", "."]) for _ in range(r.randint(1, 30)))
    if kind < 0.87:
        return "".join(scalar(r) for _ in range(r.randint(1, 60)))
    if kind < 0.90:
        return "".join(r.choice(["a", "A", "ab", "0", " ", "=", "-", "\n", "ー", "é", "가"][r.randint(0, 10):]) * r.randint(1, 200) for _ in range(r.randint(1, 3)))
    if kind < 0.96:
        return "".join(r.choice(SPECIALS + SPACES[:6] + WORDS[:20] + ["", "a", "_"]) for _ in range(r.randint(1, 20)))
    # Lone surrogates, replaced as a server that reads JSON would.
    text = "".join(r.choice(["x", chr(r.randint(0xD800, 0xDFFF)), "é", " "]) for _ in range(r.randint(1, 20)))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def corpus(size, seed):
    r, total = random.Random(seed), 0
    while total < size:
        text = entry(r)
        total += len(text.encode())
        yield text


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--bytes", type=int, default=1_200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with open(options.out, "w", encoding="utf-8") as out:
        for text in corpus(options.bytes, options.seed):
            out.write(json.dumps(text, ensure_ascii=True) + "\n")
