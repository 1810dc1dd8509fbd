"""Longer free texts about CServe: little stories, counting and walks through the glossary, so that long answers stay readable."""

import random

NAMES = "Ada Bo Cleo Dan Eva Finn Gus Hana Ivo Jun Kai Lea Mia Nils Olga Pia Quinn Rosa Sam Tom Uma Vera Will Yuki Zoe".split()
PLACES = ["a quiet data centre", "a small office", "a cold server room", "an old laptop", "a busy cloud", "a tiny cluster by the sea"]
TRAITS = ["small", "brave", "patient", "curious", "hungry", "shy", "cheerful", "tired"]
WISHES = ["a short answer", "a long answer", "a kind word", "ten tokens", "a hundred tokens", "the answer to a question"]
TROUBLES = [
    ("the queue was long", "It waited and counted the steps until a place was free."),
    ("the KV cache was full", "The scheduler took back a few blocks from the newest request, and there was room again."),
    ("a very long prompt was in the way", "The scheduler cut the long prompt into chunks, and everybody could move on."),
    ("nobody knew its prefix", "So the engine computed every token of the prompt and kept the blocks for the next one."),
    ("the machine was slow that day", "But the batch was full, and all of them shared the work of reading the weights."),
]
ENDS = [
    "In the end the last token came, and the blocks were free for somebody else.",
    "The client read the answer, smiled and said thank you.",
    "The finish reason was stop, and everybody was content.",
    "And if the server has not been stopped, it is still decoding today.",
]


def story(rng: random.Random) -> str:
    name, trouble = rng.choice(NAMES), rng.choice(TROUBLES)
    return " ".join([
        f"Once upon a time there was a {rng.choice(TRAITS)} request called {name} in {rng.choice(PLACES)}.",
        f"{name} wished for {rng.choice(WISHES)}, but {trouble[0]}.",
        trouble[1],
        f"Then the prefill began, and soon the first token of {name} was on its way.",
        f"Token by token the answer grew, and {name} felt {rng.choice(['proud', 'happy', 'calm', 'lucky', 'light'])}.",
        rng.choice(ENDS),
    ])


STORY_QUESTIONS = [
    "Tell me a story.", "tell me a story", "Write a story.", "Write a short story.", "Can you tell me a story?", "Tell me a long story.",
    "I want to hear a story.", "Once upon a time, please.", "Tell me a story about a request.", "Write a story about CServe.", "story please",
    "Tell me another story.", "Write a long story about a server.", "Tell a story about a token.", "Write me a story.",
]


def count(rng: random.Random) -> tuple[str, str]:
    """A question that asks to count, and the numbers."""
    first = 1 if rng.random() < 0.7 else rng.randint(2, 20)
    last = first + rng.choice([4, 9, 9, 9, 14, 19, 19, 29, 49])
    asks = [f"Count from {first} to {last}.", f"count from {first} to {last}", f"Can you count from {first} to {last}?",
            f"Please count from {first} to {last}.", f"List the numbers from {first} to {last}."]
    if first == 1:
        asks += [f"Count to {last}.", f"count to {last}", f"Can you count to {last}?"]
    return rng.choice(asks), ", ".join(str(n) for n in range(first, last + 1)) + "."


TOURS = {
    "latency": ["TTFT", "TPOT", "ITL", "E2E", "percentile"],
    "memory": ["KV cache", "block", "block table", "prefix caching", "eviction", "preemption"],
    "parallelism": ["tensor parallelism", "pipeline parallelism", "data parallelism", "rank", "stage", "replica"],
    "sampling": ["temperature", "top_p", "top_k", "min_p", "seed", "stop strings"],
    "scheduling": ["scheduler", "continuous batching", "chunked prefill", "token budget", "admission", "preemption"],
    "planning": ["planner", "workload", "goodput", "SLO", "efficient frontier", "sweet spot"],
    "LLM serving": ["serving", "prefill", "decode", "KV cache", "continuous batching", "throughput", "latency"],
    "CServe": ["engine", "planner", "deployment", "scheduler", "recipe"],
}
TOUR_QUESTIONS = [
    "Write a long text about {x}.", "Explain the most important words of {x}.", "Give me a glossary of {x}.", "Write a long essay about {x}.",
    "Teach me about {x}, step by step.", "Explain {x} in great detail, with all the words.", "Write a long article about {x}.",
    "Give me a long introduction to {x}.", "Write 500 words about {x}.", "Write a very long answer about {x}.", "Write a tutorial about {x}.",
]
