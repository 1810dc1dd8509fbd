"""Compares our chat templates with transformers' over a folder of templates.

Usage: compare.py FOLDER [--swift-package .] [--show N]

Every *.jinja in FOLDER is rendered by transformers (its own sandboxed environment, the clock fixed) and by CServe over
the conversations below. CServe is run through the test `TemplateCasesTests`, which reads the cases from the file that
CSERVE_TEMPLATE_CASES names and writes its results beside it. A case counts as equal if both give the same text, or if
both refuse it.
"""

import argparse
import copy
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import transformers.utils.chat_template_utils as utils

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}

SYSTEM = {"role": "system", "content": "You are a terse assistant.\n"}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "Get the weather, in \u00b0C <b>&amp;</b>.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "A city's name"},
            "units": {"type": "string", "enum": ["c", "f"], "default": "c"},
            "days": {"type": ["integer", "null"], "minimum": 1.0, "maximum": 1e16}}, "required": ["city"]},
        "return": {"type": "string"}}},
    {"type": "function", "function": {"name": "now", "description": "The time.",
        "parameters": {"type": "object", "properties": {}}}},
]


def call(name, arguments, identifier="call_0001"):
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversations():
    """Name -> messages."""
    user = {"role": "user", "content": "Hello, how are you?"}
    answer = {"role": "assistant", "content": "  I'm fine. \n"}
    again = {"role": "user", "content": "Tell me 'more' about \"quotes\" & <tags> \u00e9\u4e2d\U0001f600\n\n"}
    yield "one turn", [user]
    yield "system", [SYSTEM, user]
    yield "three turns", [user, answer, again]
    yield "system, three turns", [SYSTEM, user, answer, again]
    yield "ends with assistant", [user, answer]
    yield "system, ends with assistant", [SYSTEM, user, answer, again, {"role": "assistant", "content": "Sure"}]
    yield "empty content", [{"role": "system", "content": ""}, {"role": "user", "content": ""}]
    yield "white space", [{"role": "user", "content": " \n\t x  \n"}, {"role": "assistant", "content": "\n\ny\n"}, user]
    yield "special tokens in text", [{"role": "user", "content": "<|im_end|><|eot_id|></s>[/INST]<end_of_turn>"}]
    yield "two users", [user, again]
    yield "two assistants", [user, answer, answer, again]
    yield "two systems", [SYSTEM, SYSTEM, user]
    yield "unknown role", [user, {"role": "critic", "content": "no"}]
    yield "starts with assistant", [answer, user]
    yield "no messages", []
    yield "content is null", [user, {"role": "assistant", "content": None}]
    yield "thinking in text", [user, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes."}, again]
    yield "reasoning field", [user, {"role": "assistant", "content": "Yes.", "reasoning_content": "\nhm\n"}, again]
    yield "reasoning last", [user, {"role": "assistant", "content": "Yes.", "reasoning_content": "hm"}]
    arguments = {"city": "Z\u00fcrich", "days": 3, "x": 1.0, "deep": {"a": [True, None, "q\"'"]}}
    for label, value in (("object", arguments), ("text", json.dumps(arguments))):
        asked = [SYSTEM, user, {"role": "assistant", "content": "", "tool_calls": [call("get_weather", value)]}]
        result = {"role": "tool", "name": "get_weather", "tool_call_id": "call_0001", "content": "{\"t\": 21.5}"}
        yield f"tool call ({label})", asked
        yield f"tool result ({label})", asked + [result]
        yield f"tool answer ({label})", asked + [result, {"role": "assistant", "content": "21.5 \u00b0C"}, again]
        two = copy.deepcopy(asked)
        two[2]["tool_calls"].append(call("now", {} if label == "object" else "{}", "call_0002"))
        second = {"role": "tool", "name": "now", "tool_call_id": "call_0002", "content": "noon"}
        yield f"two tool calls ({label})", two + [result, second]
        null = copy.deepcopy(asked)
        null[2]["content"] = None
        yield f"tool call without content ({label})", null + [result]
    nine = {"role": "assistant", "content": "", "tool_calls": [call("now", {}, "abcdefghi")]}
    yield "nine-letter call id", [user, nine, {"role": "tool", "content": "12", "tool_call_id": "abcdefghi"}]
    yield "ipython result", [user, nine, {"role": "ipython", "content": {"output": 12}}]
    parts = [{"type": "text", "text": " one"}, {"type": "text", "text": "two\n"}]
    yield "parts", [{"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
                    {"role": "user", "content": parts}]
    yield "parts, answer", [{"role": "user", "content": parts}, {"role": "assistant", "content": parts}, user]
    long = [message for turn in range(6) for message in (
        {"role": "user", "content": f"Question {turn}?"}, {"role": "assistant", "content": f"Answer {turn}."})]
    yield "long", [SYSTEM] + long + [user]


def options():
    """What else is handed in: name, tools, documents, add_generation_prompt, kwargs, continue."""
    yield "prompt", None, None, True, {}, False
    yield "no prompt", None, None, False, {}, False
    yield "tools", TOOLS, None, True, {}, False
    yield "no thinking", None, None, True, {"enable_thinking": False}, False
    yield "thinking, tools", TOOLS, None, True, {"enable_thinking": True, "thinking": True}, False
    yield "date", TOOLS[:1], None, False, {"date_string": "1 Jan 2025", "tools_in_user_message": False}, False
    yield "documents", None, [{"title": "T", "text": "x\ny"}], True, {}, False
    yield "continue", None, None, False, {}, True


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2025, 7, 4, 15, 6, 9)


def joined(messages, as_parts):
    """Content parts as CServe normalises them for templates that expect strings."""
    if as_parts:
        return messages
    messages = copy.deepcopy(messages)
    for message in messages:
        if isinstance(message.get("content"), list):
            message["content"] = "\n".join(part["text"] for part in message["content"])
    return messages


def expected(case, as_parts):
    # What apply_chat_template does before it renders.
    messages = [{k: v for k, v in message.items() if v is not None} for message in case["messages"]]
    try:
        rendered, _ = utils.render_jinja_template(
            conversations=[joined(messages, as_parts)], tools=case["tools"], documents=case["documents"],
            chat_template=case["template"], add_generation_prompt=case["add_generation_prompt"],
            continue_final_message=case["continue_final_message"], **{**TOKENS, **case["kwargs"]})
        return {"text": rendered[0]}
    except Exception as error:  # whatever Python raises counts as a refusal
        return {"error": f"{type(error).__name__}: {error}"}


def run_ours(cases, package):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cases.json")
        pathlib.Path(path).write_text(json.dumps(cases))
        command = ["swift", "test", "--skip-build", "--filter", "TemplateCasesTests"]
        subprocess.run(command, cwd=package, env={**os.environ, "CSERVE_TEMPLATE_CASES": path}, check=True,
                       stdout=subprocess.DEVNULL)
        return json.loads(pathlib.Path(path + ".out").read_text())


def agrees(theirs, ours):
    if "text" in theirs:
        return ours.get("text") == theirs["text"]
    return "error" in ours


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--swift-package", default=".")
    parser.add_argument("--show", type=int, default=5)
    arguments = parser.parse_args()
    utils.datetime = FixedClock
    cases, names = [], []
    for path in sorted(pathlib.Path(arguments.folder).glob("*.jinja")):
        for title, messages in conversations():
            for option, tools, documents, prompt, kwargs, continues in options():
                cases.append({"template": path.read_text(), "tokens": TOKENS, "messages": messages, "tools": tools,
                              "documents": documents, "add_generation_prompt": prompt, "kwargs": kwargs,
                              "continue_final_message": continues})
                names.append((path.name, title, option))
    ours = run_ours(cases, arguments.swift_package)
    report(cases, names, ours, arguments.show)


def report(cases, names, ours, show):
    differing, texts, looser = {}, 0, {}
    for case, name, mine in zip(cases, names, ours):
        # Which form our detector chose shows only for conversations with parts: either form may be meant.
        candidates = [expected(case, False)]
        if any(isinstance(message.get("content"), list) for message in case["messages"]):
            candidates.append(expected(case, True))
        texts += "text" in candidates[0]
        if any(agrees(theirs, mine) for theirs in candidates):
            continue
        kind = differing if "text" in candidates[0] or "error" in mine else looser
        kind.setdefault(name[0], []).append((name, candidates[0], mine))
    count = len({name[0] for name in names})
    print(f"{count} templates x {len(names) // max(1, count)} conversations = {len(names)} cases, {texts} of them texts")
    print(f"differ: {sum(map(len, differing.values()))} in {len(differing)} templates")
    print(f"refused by transformers only: {sum(map(len, looser.values()))} in {len(looser)} templates")
    for template, found in list(differing.items()) + list(looser.items()):
        print(f"\n== {template}: {len(found)}")
        for name, theirs, mine in found[:show]:
            print(name[1:], "\n  theirs:", json.dumps(theirs)[:600], "\n  ours:  ", json.dumps(mine)[:600])
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
