"""No text that anybody writes keeps a filter, and with it everybody else, waiting."""

import time

import pytest

from bot.backends.guards.offline.instruments import load
from bot.core.outgoing import Outgoing
from bot.core.redaction import Redactor
from bot.domain.moderation import Sample
from bot.domain.outgoing import OutgoingPolicy
from bot.domain.text import display_name, safe_name, visible
from bot.domain.untrusted import roleless
from bot.ops.logs import redacted

LENGTH = 50_000
GUARD = load()
REPEATED = (
    "a", "1", "-", "_", "*", "`", "~", "[", "]", "(", "<", "|", "&", "#", "/", "\\", " ", "\n",
    "\u200b", "a.", "1.", "1:", "a1", "::", "+1 ", "f*", "@a.b", "x@", "www.", "http://",
    "https://a.b/", "![](", "](", "[1]:", "[TEXT_", "<|", "# ", "> ", "```\n", "system: ",
    "sk-", "eyJ", "eyJa", "xoxb-", "Bearer ", "-----BEGIN A-----", "4111 ", "DE12 ",
)  # fmt: skip


def left(text):
    """Filter an answer as it leaves."""
    outgoing = Outgoing(OutgoingPolicy(), ["a secret value"], "You are a helpful assistant here.")
    return outgoing.feed(text) + outgoing.close()


FILTERS = {
    "outgoing": left,
    "redaction": lambda text: Redactor().hide(text),
    "guard": lambda text: GUARD.findings(Sample(text=text)),
    "roles": roleless,
    "visible": visible,
    "name": display_name,
    "file": safe_name,
    "logs": redacted,
}


@pytest.mark.parametrize("name", FILTERS)
def test_no_text_keeps_a_filter_busy(name):
    FILTERS[name]("warm up")
    slow = {}
    for part in REPEATED:
        text = (part * LENGTH)[:LENGTH]
        began = time.process_time()
        FILTERS[name](text)
        slow[part] = time.process_time() - began
    assert {part: took for part, took in slow.items() if took > 0.5} == {}
