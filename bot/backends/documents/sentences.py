"""What the quoting model says in its own words: few sentences, and none that pretends to chat."""

from collections.abc import Sequence

MOST_NAMED = 3  # entries in one sentence

HAILS = frozenset(("hi", "hello", "hey", "hallo", "howdy"))
GREETINGS = HAILS | frozenset(
    """
    greetings good morning afternoon evening day there bot
    help start who are you what can do
    """.split()  # noqa: SIM905 - words read better as text
)
THANKS = frozenset(
    """
    thanks thank thx cheers you very much so a lot many ok okay great cool nice perfect super good
    that helps helped is was all bye goodbye see ya later
    """.split()  # noqa: SIM905 - words read better as text
)

WELCOME = "You are welcome. Ask me anything else that may be in my documents."


def is_hail(said: Sequence[str]) -> bool:
    """Return whether somebody is greeted by name: "Hi Lisa"."""
    return said[0] in HAILS and len(said) <= 3


def introduction(files: int) -> str:
    """Say what this model is and what it can do."""
    return (
        f"Hello! No language model is connected, so I answer only by quoting the {_count(files)} "
        "I was given, and I always say from where. Ask me about something in them. "
        "`/model` shows how to connect a language model."
    )


def unknown(files: int, related: Sequence[str]) -> str:
    """Say that the documents have no answer, and name what comes near."""
    sentence = f"I could not find that in the {_count(files)} I was given."
    if related:
        names = ", ".join(f"*{name}*" for name in related)
        return f"{sentence} The nearest I have: {names}. Ask for one of them, or ask a person."
    return (
        f"{sentence} Please ask in other words, or ask a person: "
        "I only quote, because no language model is connected."
    )


def quotation(quoted: str, name: str, file: str, others: Sequence[str]) -> str:
    """Cite an entry, and name others that may answer as well."""
    citation = f"{quoted}\n\n— *{name}* ({file})"
    if not others:
        return citation
    return f"{citation}\n\nSee also: {', '.join(f'*{other}*' for other in others)}"


def _count(files: int) -> str:
    return "document" if files == 1 else f"{files} documents"
