"""A model in trouble, as people and operators meet it: one answer or one sentence, never silence."""

import asyncio
import itertools
import json
from dataclasses import replace

import openai._base_client
import pytest

from bot.config.sections import ChatSettings, TurnSettings
from bot.core.models.breaker import FAILURES
from bot.domain.conversation import Person
from tests.events import ANN, command, message
from tests.fakes.openai import CHAT, FakeOpenAI
from tests.fakes.script import Delay, Refuse, Reset, ServerError, TooMany, Truncate
from tests.harness import running
from tests.integration.conftest import lines, prompt, stored, thread

BOB = Person(platform="fake", user="bob", name="Bob")
MB = 1 << 20
WORD = b'data: {"choices":[{"delta":{"content":"half an answer"}}]}\n\n'
BREAKS_OFF = "half an answer\n\n*The answer breaks off here"
SILENT = (  # faults before the first word
    TooMany(0.001), ServerError(500), ServerError(503, "<html>no</html>"), Reset(), Truncate(0),
    Delay(9), Refuse("no money", 402), Refuse("bad key", 401), Refuse("what?", 400),
)  # fmt: skip
GARBAGE = (
    (b"data: {broken\n\n",), (b"data: " + b"[" * 100_000 + b"\n\n",), (b"",),
    (b'data: {"choices": 7}\n\n',), (b'data: {"choices":[{"delta":{"content":7}}]}\n\n',),
    (b"\x00\xff" * 99,), (b"data: ", *[b"x" * MB] * 50),
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    """Let the SDK wait milliseconds between its retries."""
    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.005)


@pytest.fixture
async def second():
    async with FakeOpenAI(answer="from the second") as fake:
        yield fake


@pytest.fixture
def config(config):
    """Give up a silent model soon."""
    main = replace(config.models["main"], timeout_s=0.3)
    return replace(config, models={"main": main})


@pytest.fixture
def with_second(config, second):
    spare = replace(config.models["main"], base_url=second.base_url)
    chat = ChatSettings(model="main", fallbacks=("spare",))
    return replace(config, models={**config.models, "spare": spare}, chat=chat)


def kind(fault):
    """Name a fault in a test's id."""
    return str(fault) if not isinstance(fault, tuple) else repr(fault[0][:24])


@pytest.mark.parametrize("fault", SILENT, ids=kind)
async def test_a_model_that_says_nothing_is_replaced_by_the_next(
    with_second, platform, model, fault
):
    model.script.on(CHAT, fault, fault, fault)
    async with running(with_second, platform):
        await platform.inbox.accept(message("one"))
        await platform.answers(1)
        model.script._faults.clear()
        await platform.inbox.accept(message("two"))
        first, then = await platform.answers(2)
    assert (first, then) == ("from the second", "You said: two")


@pytest.mark.parametrize("fault", SILENT, ids=kind)
async def test_without_another_model_the_person_hears_one_sentence_and_the_lane_goes_on(
    config, platform, model, fault
):
    model.script.on(CHAT, fault, fault, fault)
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        await platform.answers(1)
        model.script._faults.clear()
        await platform.inbox.accept(message("two"))
        sorry, then = await platform.answers(2)
    assert "my language model" in sorry.lower()
    assert "Reference" in sorry
    assert then == "You said: two"


async def test_a_model_that_keeps_failing_is_left_alone_and_admins_see_it(
    with_second, platform, model
):
    model.script.on(CHAT, *[Refuse("no money", 402)] * 99)
    admins = replace(with_second, bot=replace(with_second.bot, admins=(str(ANN),)))
    async with running(admins, platform):
        for number in range(FAILURES + 3):
            await platform.inbox.accept(message(str(number)))
        await platform.answers(FAILURES + 3)
        await platform.inbox.accept(command("status"))
        await platform.inbox.accept(command("status", author=BOB))
        *_, told, others = await platform.answers(FAILURES + 5)
    assert len(model.calls) == FAILURES
    assert f"- Model main failed {FAILURES} times in a row; tried again in" in told + others
    assert (told + others).count("failed") == 1


async def test_models_are_shown_with_what_people_choose_them_by(config, platform, model):
    main = replace(
        config.models["main"],
        context_tokens=128_000,
        vision=True,
        price_input=1.25,
        price_output=10,
    )
    async with running(replace(config, models={"main": main}), platform):
        await platform.inbox.accept(command("model"))
        (said,) = await platform.answers(1)
    assert said.endswith(
        "- **main**: fake-model, 128,000 tokens, sees pictures, "
        "1.25 USD in and 10 USD out per million tokens"
    )


@pytest.mark.parametrize("pieces", GARBAGE, ids=kind)
async def test_an_answer_that_cannot_be_read_is_as_none(with_second, platform, model, pieces):
    model.on_raw(*pieces)
    async with running(with_second, platform):
        await platform.inbox.accept(message("one"))
        assert await platform.answers(1) == ["from the second"]


async def test_a_body_of_50_mb_is_as_none(with_second, platform, model):
    model.on_raw(*[b" " * MB] * 50, content_type="application/json")
    async with running(with_second, platform):
        await platform.inbox.accept(message("one"))
        assert await platform.answers(1) == ["from the second"]


@pytest.mark.parametrize(
    "end",
    [(b"",), (b"data: {broken\n\n",), (b'data: {"error": "GPU lost"}\n\n',), (b"data: [1]\n\n",),
     (b'data: {"choices":[{"delta":{"content":{}},"finish_reason":[]}]}\n\n',)],
    ids=kind,
)  # fmt: skip
async def test_an_answer_without_its_end_is_marked_and_no_other_model_is_asked(
    with_second, platform, model, second, end
):
    model.on_raw(WORD, *end)
    async with running(with_second, platform):
        await platform.inbox.accept(message("one"))
        (text,) = await platform.answers(1)
    assert text.startswith(BREAKS_OFF)
    assert (len(model.calls), len(second.calls)) == (1, 0)


async def test_an_answer_that_stalls_is_marked_after_the_silence_that_is_allowed(
    config, platform, model
):
    model.interval = 30.0
    model.on_raw(WORD, b"never sent")
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        (text,) = await platform.answers(1, timeout=3)
        model.interval = 0.0
        await platform.inbox.accept(message("two"))
        assert (await platform.answers(2))[1] == "You said: two"
    assert text.startswith(BREAKS_OFF)


async def test_an_answer_that_trickles_for_ever_ends_when_the_turn_may_not_take_longer(
    config, platform, model
):
    model.answer, model.chunk, model.interval = "tick " * 500, 5, 0.05
    async with running(replace(config, turns=TurnSettings(timeout_s=1)), platform):
        await platform.inbox.accept(message("one"))
        (text,) = await platform.answers(1, timeout=4)
    assert text.startswith("tick tick")
    assert "*The answer breaks off here" in text


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("length", "longest length"), ("content_filter", "own filter"), ("error", "connection")],
)
async def test_why_an_answer_is_not_whole_is_told(config, platform, model, reason, sentence):
    event = json.dumps({"choices": [{"delta": {}, "finish_reason": reason}]})
    model.on_raw(WORD, f"data: {event}\n\ndata: [DONE]\n\n".encode())
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        (text,) = await platform.answers(1)
    assert text.startswith(BREAKS_OFF)
    assert sentence in text


async def test_a_prompt_that_is_too_long_even_when_halved_is_one_sentence(config, platform, model):
    model.script.on(CHAT, *[Refuse("context_length_exceeded")] * 2)
    async with running(config, platform):
        await platform.inbox.accept(message("one"))
        (text,) = await platform.answers(1)
        assert "has grown too long for my model" in text
        await platform.inbox.accept(message("two"))
        assert (await platform.answers(2))[1] == "You said: two"
    assert len(model.calls) == 3


async def test_a_model_that_is_down_costs_other_conversations_nothing(config, platform, model):
    config = replace(config, models={"main": replace(config.models["main"], timeout_s=5)})
    model.script.on(CHAT, Delay(60))
    async with running(config, platform):
        await platform.inbox.accept(message("stuck", conversation=thread(1)))
        await model.until_called()
        for number in range(20):
            await platform.inbox.accept(message(str(number), conversation=thread(f"t{number}")))
        texts = await platform.answers(20, timeout=4)
        assert sorted(texts) == sorted(f"You said: {number}" for number in range(20))


async def test_whatever_the_model_does_each_message_is_answered_once_and_in_order(
    config, platform, model, tmp_path
):
    bad = itertools.cycle([*SILENT[:5], None, None, Truncate(1)])
    config = replace(config, models={"main": replace(config.models["main"], timeout_s=5)})
    model.script.on(CHAT, *itertools.islice(bad, 40))
    places = [thread(number) for number in range(4)]
    async with running(config, platform):
        await asyncio.gather(*(
            platform.inbox.accept(message(f"{place.thread}-{number}", conversation=place))
            for number in range(5) for place in places
        ))  # fmt: skip
        await platform.answers(20, timeout=30)
    assert len(platform.shown) == 20
    assert stored(tmp_path, "select count(*) from inbox where state = 'waiting'") == [(0,)]
    asked = [text for role, _, text in lines(tmp_path) if role == "user"]
    for place in places:
        mine = [text for text in asked if text.startswith(f"{place.thread}-")]
        assert mine == [f"{place.thread}-{number}" for number in range(5)]
    assert all(prompt(call) for call in model.calls)
