"""Long real conversations, with facts planted early that must be found at the end.

They are those of `chitchat-dataset`, the longest first. None is joined with another. No token of a
fact stands anywhere in that package, so that an answer which has it can only have it from the fact.
"""

import json
from collections import Counter
from pathlib import Path

import chitchat_dataset

Line = tuple[str, str]  # who says it, and what

FACTS = (
    ("my order number is K48213", "what was my order number?", "K48213"),
    ("I am allergic to macadamia nuts", "what am I allergic to?", "macadamia"),
    ("my parcel goes to locker QX7391", "which locker does my parcel go to?", "QX7391"),
    ("I work as a beekeeper", "what do I do for a living?", "beekeeper"),
    ("my dog is called Quillfeather", "what is my dog called?", "Quillfeather"),
    ("I am learning the harpsichord", "which instrument am I learning?", "harpsichord"),
    ("we moved here from Ljubljana", "where did we move here from?", "Ljubljana"),
    ("my train has the number ZR5062", "which number does my train have?", "ZR5062"),
    ("my sister is a glassblower", "what does my sister do for a living?", "glassblower"),
    ("my favourite sweet is marzipan", "which sweet do I like best?", "marzipan"),
    ("our next holiday goes to Zanzibar", "where does our next holiday go?", "Zanzibar"),
    ("my boat is called Wobblington", "what is my boat called?", "Wobblington"),
)


def every() -> dict[str, list[Line]]:
    """Return all conversations of the package by their names."""
    data = Path(chitchat_dataset.__file__).with_name("dataset.json")
    return {
        name: [(line["sender"], line["text"]) for block in one["messages"] for line in block]
        for name, one in json.loads(data.read_text(encoding="utf-8")).items()
    }


def conversations(count: int = 100) -> list[list[Line]]:
    """Return the `count` conversations of two people with the most words, the longest first."""
    known = {name: lines for name, lines in every().items() if len({who for who, _ in lines}) == 2}
    order = sorted(known, key=lambda name: (-words(known[name]), name))
    return [known[name] for name in order[:count]]


def words(conversation: list[Line]) -> int:
    """Return how many words a conversation has."""
    return sum(len(text.split()) for _, text in conversation)


def planted(conversation: list[Line], n: int) -> tuple[list[Line], str, str]:
    """Return the conversation with fact `n` as its third line, the question and the fact's token.

    Who says most says the fact, and is to ask the question.
    """
    fact, question, token = FACTS[n % len(FACTS)]
    [(speaker, _)] = Counter(who for who, _ in conversation).most_common(1)
    return [*conversation[:2], (speaker, fact), *conversation[2:]], question, token
