"""Checks a running server with OpenAI's own client: python openai_client_test.py http://127.0.0.1:8000

Every check is a function; the script prints one line per check and exits 1 if any failed.
"""

import json
import sys
import traceback
import urllib.request

import openai
from prometheus_client.parser import text_string_to_metric_families

QUESTION = [{"role": "user", "content": "What is a KV cache?"}]


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_error(kind, call, **fields):
    try:
        call()
    except kind as error:
        for name, value in fields.items():
            expect(getattr(error, name) == value, f"{name} is {getattr(error, name)!r}, not {value!r}")
        return error
    raise AssertionError(f"no {kind.__name__}")


def models(client, model):
    listed = client.models.list().data
    expect(listed[0].id == model, listed)
    expect(client.models.retrieve(model).id == model, "retrieve")
    expect_error(openai.NotFoundError, lambda: client.models.retrieve("nothing"), code="model_not_found")


def chat(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=40, temperature=0)
    choice = answer.choices[0]
    expect(choice.message.role == "assistant", choice)
    expect(len(choice.message.content.split()) >= 3, f"no readable text: {choice.message.content!r}")
    expect(choice.finish_reason in ("stop", "length"), choice)
    usage = answer.usage
    expect(usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage)
    expect(usage.completion_tokens <= 40, usage)
    expect(answer.id.startswith("chatcmpl-"), answer.id)


def streaming(client, model):
    whole = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=30, temperature=0)
    chunks = list(
        client.chat.completions.create(
            model=model, messages=QUESTION, max_tokens=30, temperature=0, stream=True,
            stream_options={"include_usage": True},
        )
    )
    expect(chunks[0].choices[0].delta.role == "assistant", chunks[0])
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    expect(text == whole.choices[0].message.content, f"{text!r} is not {whole.choices[0].message.content!r}")
    expect(chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens, chunks[-1])
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    expect(reasons == [whole.choices[0].finish_reason], reasons)


def logprobs(client, model):
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=8, temperature=0, logprobs=True, top_logprobs=3
    )
    content = answer.choices[0].logprobs.content
    expect(content, "no logprobs")
    joined = b"".join(bytes(token.bytes) for token in content).decode()
    expect(joined.strip() == answer.choices[0].message.content.strip(), (joined, answer.choices[0].message.content))
    for token in content:
        expect(token.logprob <= 0 and len(token.top_logprobs) == 3, token)
        expect(token.top_logprobs[0].logprob >= token.top_logprobs[1].logprob, token)
        expect(abs(token.top_logprobs[0].logprob - token.logprob) < 1e-6, "greedy takes the likeliest")


def stop(client, model):
    whole = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=30, temperature=0)
    text = whole.choices[0].message.content
    mark = text[6:9]
    cut = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=30, temperature=0, stop=[mark])
    expect(cut.choices[0].message.content == text[: text.index(mark)], (text, mark, cut.choices[0].message.content))
    expect(cut.choices[0].finish_reason == "stop", cut)
    pieces = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=30, temperature=0, stop=[mark], stream=True
    )
    streamed = "".join(c.choices[0].delta.content or "" for c in pieces if c.choices)
    expect(streamed == cut.choices[0].message.content, streamed)


def several(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=6, n=3, temperature=1, seed=5)
    expect([choice.index for choice in answer.choices] == [0, 1, 2], answer)
    texts = {}
    for chunk in client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=6, n=3, temperature=1, seed=5, stream=True
    ):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
    expect([texts[i] for i in range(3)] == [c.message.content for c in answer.choices], texts)


def seed(client, model):
    def ask(number):
        answer = client.chat.completions.create(
            model=model, messages=QUESTION, max_tokens=16, temperature=1.5, seed=number
        )
        return answer.choices[0].message.content

    expect(ask(7) == ask(7), "the same seed gives another answer")
    expect(len({ask(number) for number in range(4)}) > 1, "all seeds give the same answer")


def completions(client, model):
    one = client.completions.create(model=model, prompt="The KV cache", max_tokens=8, temperature=0)
    expect(one.object == "text_completion" and one.usage.completion_tokens <= 8, one)
    two = client.completions.create(model=model, prompt=["The KV cache", "A block"], max_tokens=4, temperature=0)
    expect([choice.index for choice in two.choices] == [0, 1], two)
    pieces = client.completions.create(model=model, prompt="The KV cache", max_tokens=8, temperature=0, stream=True)
    expect("".join(p.choices[0].text for p in pieces if p.choices) == one.choices[0].text, "stream differs")


def echo(client, model):
    answer = client.completions.create(
        model=model, prompt="The KV cache", max_tokens=2, temperature=0, echo=True, logprobs=2
    )
    choice = answer.choices[0]
    expect(choice.text.startswith("The KV cache"), choice.text)
    expect(choice.logprobs.token_logprobs[0] is None, "the first token has no score")
    expect(all(value <= 0 for value in choice.logprobs.token_logprobs[1:]), choice.logprobs.token_logprobs)
    expect(len(choice.logprobs.tokens) == len(choice.logprobs.text_offset), choice.logprobs)
    scored = client.completions.create(model=model, prompt="The KV cache", max_tokens=0, echo=True, logprobs=0)
    expect(scored.usage.completion_tokens == 0, scored.usage)


def token_ids(client, model):
    base = str(client.base_url).replace("/v1/", "")
    request = urllib.request.Request(
        base + "/tokenize", data=json.dumps({"prompt": "The KV cache"}).encode(), method="POST",
        headers={"Authorization": f"Bearer {client.api_key}"},
    )
    tokens = json.load(urllib.request.urlopen(request))["tokens"]
    text = client.completions.create(model=model, prompt="The KV cache", max_tokens=6, temperature=0)
    ids = client.completions.create(model=model, prompt=tokens, max_tokens=6, temperature=0)
    expect(ids.choices[0].text == text.choices[0].text, (ids.choices[0].text, text.choices[0].text))
    lists = client.completions.create(model=model, prompt=[tokens, tokens], max_tokens=6, temperature=0)
    expect([choice.text for choice in lists.choices] == [text.choices[0].text] * 2, lists)
    expect_error(
        openai.BadRequestError,
        lambda: client.completions.create(model=model, prompt=[10**8], max_tokens=1), param="prompt",
    )


def extras(client, model):
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=12, temperature=0,
        extra_body={"ignore_eos": True, "min_p": 0.1, "top_k": 5, "return_token_ids": True, "unknown_field": 1},
    )
    expect(answer.usage.completion_tokens == 12, answer.usage)
    expect(len(answer.choices[0].token_ids) == 12, answer.choices[0])


def errors(client, model):
    create = client.chat.completions.create
    expect_error(openai.NotFoundError, lambda: create(model="nothing", messages=QUESTION), code="model_not_found")
    expect_error(openai.BadRequestError, lambda: create(model=model, messages=[]), param="messages")
    expect_error(openai.BadRequestError, lambda: create(model=model, messages=QUESTION, temperature=9), param="temperature")
    expect_error(openai.BadRequestError, lambda: create(model=model, messages=QUESTION, max_tokens="x"), param="max_tokens")
    expect_error(
        openai.BadRequestError, lambda: create(model=model, messages=QUESTION, max_tokens=10**6),
        code="context_length_exceeded",
    )
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    for fields, name in [
        ({"response_format": {"type": "json_object"}}, "response_format"), ({"tools": [tool]}, "tools"),
        ({"extra_body": {"structured_outputs": {"regex": "a"}}}, "structured_outputs"),
    ]:
        expect_error(openai.BadRequestError, lambda: create(model=model, messages=QUESTION, **fields), param=name)
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}]
    expect_error(openai.BadRequestError, lambda: create(model=model, messages=image))


def keys(client, model):
    wrong = client.with_options(api_key="wrong", max_retries=0)
    expect_error(openai.AuthenticationError, lambda: wrong.models.list(), code="invalid_api_key")


def metrics(client, model):
    base = str(client.base_url).replace("/v1/", "")
    request = urllib.request.Request(base + "/metrics", headers={"Authorization": f"Bearer {client.api_key}"})
    text = urllib.request.urlopen(request).read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name in [
        "vllm:num_requests_running", "vllm:kv_cache_usage_perc", "vllm:generation_tokens", "vllm:request_success",
        "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds", "vllm:e2e_request_latency_seconds",
        "http_requests",
    ]:
        expect(name in families, f"{name} is missing")
    expect("KV cache" not in text, "metrics carry a prompt")


CHECKS = [
    models, chat, streaming, logprobs, stop, several, seed, completions, echo, token_ids, extras, errors, keys, metrics,
]


def main():
    base = sys.argv[1]
    key = sys.argv[2] if len(sys.argv) > 2 else "none"
    client = openai.OpenAI(base_url=base + "/v1", api_key=key, max_retries=0, timeout=120)
    model = client.models.list().data[0].id
    failed = 0
    for check in CHECKS:
        try:
            check(client, model)
            print(f"ok      {check.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED  {check.__name__}\n{traceback.format_exc()}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
