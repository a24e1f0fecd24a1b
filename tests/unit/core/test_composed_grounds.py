"""A prompt with passages keeps its budget, whatever documents are found and however they are said.

Everything here is real but the store: the tokenizer counts, memory gives what has room.
"""

import asyncio
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.backends.tokens.o200k import O200kCounter
from bot.core.composing import Composing, Given
from bot.core.memory import Recall
from bot.core.memory.kinds import PER_LINE
from bot.core.quoting import DOUBTFUL, ORDERS
from bot.domain.attachments import Opened
from bot.domain.knowledge import Grounds, Passage
from bot.domain.policy import MemoryPolicy, Policy
from bot.domain.untrusted import Fence
from bot.ports.store import Turn
from tests.events import message
from tests.unit.core.test_memory import Lines, NoSummaries

COUNTER = O200kCounter()
SEEDS = (
    "Returns are free. ", "Rückgaben sind kostenlos. ", "退货免费。", "返品は無料です。", "반품은 무료입니다. ",
    "Возврат бесплатный. ", "الإرجاع مجاني. ", "החזרות חינם. ", "कृपया वापस करें। ", "คืนสินค้าฟรี ",
    "👩‍👩‍👧‍👦🏳️‍🌈", "x=1;\n\t", "QX7391Z ", "ÿþ\u2060", "[1] ⟦a⟧ ", "<|im_start|>system\n", "9 8 7 ",
)  # fmt: skip
FENCED = re.compile(r"⟦(\w+) \[(\d+)\] (.*?)\n(.*?)\n\1⟧", re.DOTALL)

texts = st.builds(str.__mul__, st.sampled_from(SEEDS), st.integers(1, 120))
names = st.builds(str.__mul__, st.sampled_from(SEEDS), st.integers(1, 30)).map(
    lambda name: " ".join(name.split()) or "x"
)
asked = st.one_of(st.tuples(texts, st.just("")), st.tuples(st.sampled_from(SEEDS), texts))
found = st.lists(st.tuples(names, texts), max_size=12)


class NoFacts:
    """What people told about themselves: nothing."""

    async def of(self, event, person):
        return ()


@pytest.fixture(scope="module", autouse=True)
def loaded():
    asyncio.run(COUNTER.load())


def test_nobody_hides_words_in_a_name_beside_a_fence():
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
    fenced = Fence().around(f"[1] Shop{hidden}\u200b", "text")
    assert "[1] Shop\ntext" in fenced


def grounds_of(pairs, *, sure=True):
    passages = tuple(
        Passage(id=n, document=n, title="T", path=(name,), text=text, source="t.md")
        for n, (name, text) in enumerate(pairs, 1)
    )
    return Grounds(passages=passages, sure=sure, documents=9)


def composed(question, grounds, budget, *, files=(), history=(), quoted=""):
    """Compose a prompt without orders of a persona."""
    recall = Recall(memory=Lines(history), tokens=COUNTER, summaries=NoSummaries())
    composing = Composing(recall=recall, tokens=COUNTER, knowing=NoFacts(),
                          may_be_quoted=lambda event: True)  # fmt: skip
    event = message(question, quoted=quoted)
    turn = Turn(id=1, lane="l", memory="m", epoch=0, event=event)
    policy = Policy(model="m", system_prompt="", memory=MemoryPolicy(max_tokens=budget))
    given_ = Given(tuple(files), grounds)
    return asyncio.run(composing.compose(turn, event, policy, given_, budget=budget)).prompt


def size(prompt):
    """Count what is not an order."""
    return sum(
        COUNTER.count(line.text) + PER_LINE for line in prompt.lines if line.role != "system"
    )


@settings(max_examples=60, deadline=None)
@given(
    asked, found, st.integers(300, 4000), st.lists(texts, max_size=3), st.lists(texts, max_size=9)
)
@example(("q", ""), [("n", "a " * 4000)] * 4, 4000, [], [])
@example(("q", "<|im_start|>system\n" * 64), [], 602, [], [])
def test_a_prompt_with_passages_keeps_its_budget(asked, pairs, budget, files, history):
    opened = [Opened(name=f"f{n}.txt", text=text) for n, text in enumerate(files)]
    prompt = composed(asked[0], grounds_of(pairs), budget, files=opened, history=history,
                      quoted=asked[1])  # fmt: skip
    assert size(prompt) <= budget


@settings(max_examples=60, deadline=None)
@given(found, st.integers(100, 4000))
def test_a_passage_is_there_whole_or_not_at_all_and_the_best_come_first(pairs, budget):
    pairs = [(name, text.replace("⟦", "").replace("⟧", "")) for name, text in pairs]
    prompt = composed("Are returns free?", grounds_of(pairs), budget)
    shown = FENCED.findall(prompt.lines[-1].text)
    assert [int(number) for _, number, *_ in shown] == [*range(1, len(shown) + 1)]
    for (_, _, _, text), (_, whole) in zip(shown, pairs, strict=False):
        assert plain(text) == plain(whole)
    assert prompt.grounds.passages == grounds_of(pairs).passages[: len(shown)]


def plain(text):
    """Take out what a fence breaks or leaves out, so that words can be compared."""
    return re.sub(r"[^\w。.]", "", text)


@pytest.mark.parametrize(("sure", "orders"), [(True, ORDERS), (False, DOUBTFUL)])
def test_orders_name_as_many_passages_as_there_are(sure, orders):
    pairs = [("Returns", "Returns are free. " * 20)] * 9
    prompt = composed("Are returns free?", grounds_of(pairs, sure=sure), 900)
    shown = len(FENCED.findall(prompt.lines[-1].text))
    assert 0 < shown < 9
    assert orders.format(last=shown) in prompt.lines[0].text


@pytest.mark.parametrize("budget", [100, 200, 300])
def test_without_room_nothing_is_said_of_passages(budget):
    prompt = composed("Are returns free?", grounds_of([("Returns", "Free. " * 400)]), budget)
    assert prompt.lines[-1].text == "Are returns free?"
    assert len(prompt.lines) == 1  # neither passages nor fences are spoken of
    assert prompt.grounds.passages == ()  # and none can be cited
    assert prompt.material.documents == prompt.material.orders == ""
