"""Writes the Unicode tables that Swift's standard library does not offer, asking PyPI tokenizers for each character.

Taking them from the peer itself gives the same Unicode version. Usage: make_tables.py (writes into Sources/CServeText).
"""
import pathlib
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2] / "Sources/CServeText/Tokenizer"
SCRIPTS = [
    "Arabic", "Armenian", "Bengali", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek", "Gujarati", "Gurmukhi",
    "Han", "Hangul", "Hebrew", "Hiragana", "Kannada", "Katakana", "Khmer", "Lao", "Latin", "Malayalam", "Mongolian",
    "Myanmar", "Sinhala", "Tamil", "Telugu", "Thai", "Tibetan",
]


def scalars():
    return (code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF)


def wrap(items, separator=" "):
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) > 108:
            lines.append(line)
            line = ""
        line += (separator if line else "") + item
    return lines + [line]


def decompositions(form):
    """Full decompositions of the characters that have one (Hangul syllables follow a rule and are left out)."""
    found = {}
    for code in scalars():
        if 0xAC00 <= code <= 0xD7A3:
            continue
        text = form.normalize_str(chr(code))
        if text != chr(code):
            found[code] = text
    return found


def runs(found):
    """`start:a,b,c` for consecutive characters; `+` joins the characters of one decomposition."""
    items, previous = [], None
    for code, text in sorted(found.items()):
        value = "+".join(f"{ord(c):X}" for c in text)
        if previous is not None and code == previous + 1:
            items[-1] += "," + value
        else:
            items.append(f"{code:X}:{value}")
        previous = code
    return items


def split_long(items):
    for item in items:
        start, values = item.split(":")
        values, code = values.split(","), int(start, 16)
        while values:
            take, length = 0, 0
            while take < len(values) and length + len(values[take]) < 90:
                length += len(values[take]) + 1
                take += 1
            yield f"{code:X}:" + ",".join(values[:take])
            code, values = code + take, values[take:]


def string_table(name, comment, items):
    lines = wrap(list(split_long(items)))
    body = " \\\n".join("        " + line for line in lines)
    return f'    /// {comment}\n    static let {name} = """\n{body}\n        """\n'


def write(path, opening, enum, members):
    text = f"// {opening}\n// Written by Tools/tokenizer/make_tables.py.\n\n{enum} {{\n" + "\n".join(members) + "}\n"
    (ROOT / path).write_text(text)


def normalization():
    canonical, compatible = decompositions(normalizers.NFD()), decompositions(normalizers.NFKD())
    nfc = normalizers.NFC()
    excluded = [c for c, text in canonical.items() if nfc.normalize_str(chr(c)) != chr(c) and len(text) > 1]
    only_compatible = {c: t for c, t in compatible.items() if canonical.get(c) != t}
    write("Normalizers/CanonicalTable.swift", "Canonical decompositions, as data.", "enum CanonicalTable", [
        string_table("decompositions", "Runs `start:first,second,...`; `+` joins the parts of one decomposition.",
                     runs(canonical)),
        string_table("excluded", "Characters of several parts that composition never makes: runs with value 0.",
                     runs({c: "0" for c in excluded}))])
    write("Normalizers/CompatibilityTable.swift", "Compatibility decompositions, as data.", "enum CompatibilityTable", [
        string_table("decompositions", "As in ``CanonicalTable``, where they differ from the canonical ones.",
                     runs(only_compatible))])
    print(len(canonical), "canonical,", len(only_compatible), "compatible,", len(excluded), "excluded")


def matching(pattern):
    """The characters that a one-character pattern matches, as ranges."""
    splitter = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    found = []
    for start in range(0, 0x110000, 0x1000):
        text = "".join(chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c <= 0xDFFF)
        for piece, _ in splitter.pre_tokenize_str(text):
            found.extend(ord(c) for c in piece)
    ranges = []
    for code in found:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ranges


def scripts():
    rows = []
    for name in SCRIPTS:
        items = [f"{a:X}-{b:X}" if a != b else f"{a:X}" for a, b in matching(r"\p{%s}" % name)]
        lines = wrap(items)
        body = " \\\n".join("            " + line for line in lines)
        rows.append(f'        "{name.lower()}": """\n{body}\n            """,\n')
    members = ["    /// The ranges of each script, by its name in lower case.\n    static let text: [String: String] = [\n"
               + "".join(rows) + "    ]\n"]
    write("Regex/ScriptTable.swift", "The characters of the larger scripts, as data.", "enum ScriptTable", members)


if __name__ == "__main__":
    normalization()
    scripts()
