"""What every platform must do; another one is a driver and a line in `PLATFORMS`."""

import asyncio
import itertools
import json
import re
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from bot.core.commands import CATALOGUE
from bot.core.health import Beat
from bot.core.journal import address
from bot.domain.conversation import Conversation
from bot.domain.errors import ConfigError, DeliveryError, Gone, StoreBusy
from bot.domain.events import (
    Announced,
    CommandGiven,
    MessageReceived,
    Pressed,
    from_plain,
    to_plain,
)
from bot.domain.replies import Button, Finished, Part, Retraction, Status, Text
from bot.ports.platform import Surroundings
from bot.ports.store import Turn
from tests.contract.platforms import PLATFORMS, done
from tests.fakes.script import DropAfterAccept, Refuse, Reset, ServerError, TooMany

PATIENCE = 0.4  # seconds; an answer that is complete within 0.3 is shown at once


@pytest.fixture(params=PLATFORMS, ids=lambda driver: driver.__name__.lower())
async def platform(request):
    driver = request.param()
    async with driver.fake:
        yield driver


def needs(platform, *abilities):
    for ability in abilities:
        if ability in platform.cannot:
            pytest.skip(f"{platform.descriptor.name}: {platform.cannot[ability]}")


class Inbox:
    """Takes events in memory, each in the order in which it was offered, as the core does."""

    def __init__(self):
        self.busy = False
        self.offered = []  # every event that came, the refused and the known ones too
        self.events = {}

    async def accept(self, event):
        self.offered.append(event)
        await asyncio.sleep(0.002)
        if self.busy:
            raise StoreBusy("the disk is full")
        return self.events.setdefault(event.id, event) is event

    def of(self, kind):
        return [event for event in self.events.values() if isinstance(event, kind)]

    @property
    def texts(self):
        return [event.text for event in self.of(MessageReceived)]


class Outbox:
    """What is journaled about one answer; give the `known` of an earlier attempt to resume it."""

    def __init__(self, known=None):
        self.known = dict(known or {})
        self.resumed = known is not None

    def begin(self, part):
        self.known.setdefault(part.index, replace(part, id=""))
        return done()

    def sent(self, part):
        self.known[part.index] = part
        return done()

    def withdrawn(self, index):
        self.known.pop(index, None)
        return done()


class Stuck(Outbox):
    """A journal whose disk is too slow: the process is killed before it knows an id."""

    def sent(self, part):
        return asyncio.get_running_loop().create_future()


async def reply(*pieces, gate=None, pause=0.0, buttons=()):
    """Say pieces, strings as words, and finish when the gate is open."""
    for number, piece in enumerate(pieces):
        if pause and number:
            await asyncio.sleep(pause)
        yield Text(piece) if isinstance(piece, str) else piece
    if gate:
        await gate.wait()
    yield Finished(buttons=buttons)


@dataclass
class Bot:
    """An adapter that runs, and the core's part in it."""

    platform: object
    sender: object
    inbox: Inbox
    listening: asyncio.Task
    _turns: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def until(self, condition, within=5.0):
        """Wait for a condition; whatever ended the listening comes out."""
        async with asyncio.timeout(within):
            while not condition():
                if self.listening.done():
                    self.listening.result()
                await asyncio.sleep(0.005)

    async def hears(self, text, place="private", **how):
        """Let somebody write; returns the event."""
        self.platform.say(text, place, **how)
        await self.until(lambda: text in self.inbox.texts)
        return next(event for event in self.inbox.of(MessageReceived) if event.text == text)

    def to(self, event):
        """Address a reply as the core does."""
        return address(Turn(id=next(self._turns), lane=str(event.conversation), memory="", epoch=0,
                            event=event))  # fmt: skip

    async def says(self, event, *pieces, outbox=None, **how):
        """Answer an event; returns the receipt."""
        outbox = Outbox() if outbox is None else outbox
        async with asyncio.timeout(10):
            return await self.sender.deliver(self.to(event), reply(*pieces, **how), outbox)

    def shown(self, event):
        """Return what people see of our answers in the place of an event."""
        texts = self.platform.visible(event.conversation)
        return [text for text in texts if text != self.platform.placeholder]

    def posts(self):
        """Return how many messages were posted."""
        return sum(call.method == self.platform.post for call in self.platform.fake.calls)


def built(platform, streaming="edit"):
    surroundings = Surroundings(
        bot_name="Parley", streaming=streaming, marks=platform.marks, pulse=Beat("test", time.time),
        secret=platform.secrets.__getitem__,
    )  # fmt: skip
    return platform.descriptor.build(platform.settings(), surroundings)


@asynccontextmanager
async def running(platform, streaming="edit"):
    """Open, listen and close as the engine does."""
    adapter, inbox, before = built(platform, streaming), Inbox(), platform.connections()
    await adapter.sender.open()
    listening = asyncio.create_task(adapter.receiver.listen(inbox))
    bot = Bot(platform, adapter.sender, inbox, listening)
    try:
        await bot.until(lambda: platform.connections() > before)
        yield bot
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await adapter.sender.close()


def ours():
    """Return the tasks that adapters have started."""
    codes = {task: getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()}
    return {task for task, code in codes.items() if code and "/adapters/" in code.co_filename}


def bare(text):
    """Return a text without spaces, markup and what only makes it harmless."""
    without_fences = re.sub(r"^\s*```.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"[\s`*_~#|+─┼│—\-\u200b\u2060\0\ufffd\ud800-\udfff]", "", without_fences)


def length(text, unit):
    return len(text) if unit == "characters" else len(text.encode("utf-16-le")) // 2


def numbered(count):
    """Return Markdown of `count` numbered lines, half of them in code, and the lines."""
    lines, text = [], []
    for number in range(count):
        in_code = number % 40 >= 20
        words = f"print(a < b and c & d)  # {'x' * (number % 9)}" if in_code else "some plain words"
        lines.append(f"L{number:04d} {words} and a few more of them")
        text += ["```python"] if number % 40 == 20 else []
        text.append("    " * in_code + lines[-1])
        text += ["```", ""] if number % 40 == 39 else []
    return "\n".join(text), lines


# Inward -----------------------------------------------------------------------------------------


async def test_what_the_bot_says_itself_is_ignored(platform):
    needs(platform, "echoes")
    async with running(platform) as bot:
        event = await bot.hears("hello", "group", mention=True)
        await bot.says(event, "an answer")
        for place in ("private", "group", "thread"):
            platform.echo("our own words", place)
        await bot.hears("the end")
    assert bot.inbox.texts == ["hello", "the end"]
    assert {type(event) for event in bot.inbox.offered} == {MessageReceived}


async def test_other_bots_are_marked_as_bots(platform):
    needs(platform, "bots")
    async with running(platform) as bot:
        machine = await bot.hears("beep", "group", bot=True)
        person = await bot.hears("hello", "group")
    assert (machine.author.bot, person.author.bot) == (True, False)


async def test_every_kind_of_event_can_be_stored_and_names_its_place(platform):
    async with running(platform) as bot:
        kinds = platform.commotion()
        await bot.until(lambda: {type(event) for event in bot.inbox.events.values()} >= kinds)
    for event in bot.inbox.events.values():
        assert event.conversation.platform == platform.descriptor.name
        assert Conversation.parse(str(event.conversation)) == event.conversation
        assert from_plain(json.loads(json.dumps(to_plain(event)))) == event
    ids = [event.id for event in bot.inbox.events.values()]
    assert len(set(ids)) == len(ids) >= len(kinds)


async def test_a_redelivery_has_the_id_of_the_first_delivery(platform):
    needs(platform, "acknowledgement")
    async with running(platform) as bot:
        event = await bot.hears("hello")
        await bot.until(platform.acknowledged)
        platform.redeliver()
        await bot.until(lambda: len(bot.inbox.offered) > 1)
        await bot.hears("the end")
    assert bot.inbox.texts == ["hello", "the end"]
    assert {offered.id for offered in bot.inbox.offered if offered.text == "hello"} == {event.id}


async def test_what_could_not_be_stored_comes_again_until_it_is(platform):
    async with running(platform) as bot:
        bot.inbox.busy = True
        for number in range(3):
            platform.say(str(number))
        await bot.until(lambda: len(bot.inbox.offered) > 3)
        assert not bot.inbox.events
        bot.inbox.busy = False
        await bot.until(lambda: len(bot.inbox.events) == 3)
    assert sorted(bot.inbox.texts) == ["0", "1", "2"]


async def test_only_what_was_stored_is_acknowledged(platform):
    needs(platform, "acknowledgement")
    async with running(platform) as bot:
        bot.inbox.busy = True
        platform.say("hello")
        await bot.until(lambda: len(bot.inbox.offered) > 1)
        assert platform.acknowledged() == 0
        bot.inbox.busy = False
        await bot.until(lambda: platform.acknowledged() == 1)
    assert bot.inbox.texts == ["hello"]


async def test_what_one_process_could_not_store_comes_to_the_next_under_the_same_id(platform):
    needs(platform, "acknowledgement")
    async with running(platform) as first:
        first.inbox.busy = True
        platform.say("hello")
        await first.until(lambda: first.inbox.offered)
    async with running(platform) as second:
        await second.until(lambda: second.inbox.events)
        await second.hears("the end")
    assert second.inbox.texts == ["hello", "the end"]
    assert first.inbox.offered[0].id in second.inbox.events


async def test_a_burst_keeps_its_order(platform):
    texts = [str(number) for number in range(50)]
    async with running(platform) as bot:
        for text in texts:
            platform.say(text)
        await bot.until(lambda: len(bot.inbox.events) == 50)
    assert list(dict.fromkeys(event.text for event in bot.inbox.offered)) == texts
    assert bot.inbox.texts == texts


async def test_a_private_message_is_private_and_addressed(platform):
    async with running(platform) as bot:
        event = await bot.hears("hello")
    assert (event.private, event.addressed, event.author.bot) == (True, True, False)
    assert event.author.platform == platform.descriptor.name
    assert event.author.user


async def test_in_a_group_who_mentions_the_bot_addresses_it(platform):
    needs(platform, "groups")
    async with running(platform) as bot:
        among = await bot.hears("to each other", "group")
        to_us = await bot.hears("to the bot", "group", mention=True)
        await bot.hears("the end", "group")
    assert (among.private, among.addressed) == (False, False)
    assert (to_us.private, to_us.addressed) == (False, True)
    assert bot.inbox.texts == ["to each other", "to the bot", "the end"]


async def test_a_reply_to_the_bot_addresses_it(platform):
    needs(platform, "groups", "replies")
    async with running(platform) as bot:
        asked = await bot.hears("hello", "group", mention=True)
        receipt = await bot.says(asked, "an answer")
        event = await bot.hears("what do you mean?", "group", answering=receipt.messages[0])
    assert event.addressed
    assert event.quoted == ""  # these words were its own


async def test_a_thread_is_a_conversation_of_its_own_and_is_answered_there(platform):
    needs(platform, "groups")
    async with running(platform) as bot:
        aloud = await bot.hears("aloud", "group", mention=True)
        inside = await bot.hears("inside", "thread", mention=True)
        again = await bot.hears("again", "thread")
        await bot.says(inside, "here")
        assert bot.shown(inside) == ["here"]
        assert bot.shown(aloud) == platform.visible(aloud.conversation.parent) == []
        await bot.says(aloud, "there")
        assert (bot.shown(inside), bot.shown(aloud)) == (["here"], ["there"])
    assert inside.conversation == again.conversation != aloud.conversation
    assert inside.conversation.thread


async def test_who_stops_listening_leaves_no_task_behind(platform):
    before = ours()
    async with running(platform) as bot:
        await bot.hears("hello")
    assert ours() <= before


async def test_a_refused_token_is_one_sentence_that_does_not_tell_it(platform):
    needs(platform, "calls")
    platform.fake.script.on(platform.hello, *[platform.refusal] * 2)
    adapter = built(platform)
    with pytest.raises(ConfigError, match=rf"^adapters\.{platform.descriptor.name}\.") as caught:
        await adapter.sender.open()
    await adapter.sender.close()
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not any(secret in sentence for secret in platform.secrets.values())


async def test_a_platform_that_is_away_at_first_can_be_opened_later(platform):
    needs(platform, "calls")
    platform.fake.script.on(platform.hello, Reset())
    adapter = built(platform)
    with suppress(DeliveryError):
        await adapter.sender.open()
    await adapter.sender.close()
    async with running(platform) as bot:
        event = await bot.hears("hello")
        await bot.says(event, "back again")
        assert bot.shown(event) == ["back again"]


# Outward ----------------------------------------------------------------------------------------


async def test_an_answer_is_shown_once_and_its_receipt_names_it(platform):
    async with running(platform) as bot:
        event = await bot.hears("a question")
        receipt = await bot.says(event, Status(), "It is ", "Tuesday.")
        assert bot.shown(event) == ["It is Tuesday."]
    assert len(receipt.messages) == 1


async def test_a_reply_without_words_leaves_nothing_behind(platform):
    async with running(platform) as bot:
        event = await bot.hears("a question")
        await bot.says(event, Status())
        assert platform.visible(event.conversation) == []


async def test_a_long_answer_is_split_without_loss(platform):
    text, lines = numbered(600)
    assert len(text) > 30_000
    async with running(platform) as bot:
        event = await bot.hears("a question")
        receipt = await bot.says(event, text)
        shown = bot.shown(event)
    abilities = platform.descriptor.abilities
    assert max(length(part, abilities.unit) for part in shown) <= abilities.text_limit
    assert len(receipt.messages) == len(shown)
    assert re.findall(r"L\d{4}", "".join(shown)) == [line[:5] for line in lines]
    assert bare("\n".join(shown)) == bare(text)
    assert all(len(re.findall("^```", part, re.MULTILINE)) % 2 == 0 for part in shown)


async def test_a_retraction_takes_all_words_back(platform):
    needs(platform, "retractions")
    async with running(platform) as bot:
        event = await bot.hears("a question")
        await bot.says(event, "the secret is " * 300, Retraction("I cannot say that."))
        assert bot.shown(event) == ["I cannot say that."]
        event = await bot.hears("another question")
        await bot.says(event, "the secret " * 300, Retraction("Nor that."), pause=PATIENCE)
        assert bot.shown(event) == ["I cannot say that.", "Nor that."]


@pytest.mark.parametrize("streaming", ["edit", "native"])
async def test_what_grows_is_not_final_before_the_answer_is_stored(platform, streaming):
    text, _ = numbered(300)
    gate = asyncio.Event()
    async with running(platform, streaming) as bot:
        place = "private" if "groups" in platform.cannot else "thread"
        event = await bot.hears("a question", place)
        answering = asyncio.create_task(bot.says(event, text, gate=gate))
        await bot.until(lambda: "L0299" in "".join(bot.shown(event)))
        early = len(bot.shown(event))
        calls = [call.method for call in getattr(platform.fake, "calls", ())]
        assert not answering.done()
        assert not platform.ends or platform.ends not in calls
        gate.set()
        receipt = await answering
        assert bare("\n".join(bot.shown(event))) == bare(text)
        assert early == len(bot.shown(event)) == len(receipt.messages)


async def test_without_streaming_no_word_is_shown_before_the_answer_is_stored(platform):
    needs(platform, "whole")
    async with running(platform, "off") as bot:
        event = await bot.hears("a question")
        await bot.says(event, "one ", "two", pause=PATIENCE)
        assert bot.shown(event) == ["one two"]
    writes = [call for call in platform.fake.calls if call.method in (platform.post, platform.edit)]
    assert sum("one" in json.dumps(call.args, default=str) for call in writes) == 1


@pytest.mark.parametrize("fault", [TooMany(0.3), DropAfterAccept(), ServerError(502)], ids=str)
async def test_an_answer_is_shown_once_whatever_becomes_of_its_post(platform, fault):
    needs(platform, "failures")
    loop = asyncio.get_running_loop()
    async with running(platform) as bot:
        event = await bot.hears("a question")
        platform.fake.script.on(platform.post, fault)
        began = loop.time()
        receipt = await bot.says(event, "the answer")
        assert bot.shown(event) == ["the answer"]
    if isinstance(fault, TooMany):
        assert loop.time() - began >= fault.retry_after
        assert bot.posts() == 2
    assert len(receipt.messages) == 1


async def test_a_growing_answer_survives_edits_that_fail(platform):
    needs(platform, "failures")
    async with running(platform) as bot:
        event = await bot.hears("a question")
        platform.fake.script.on(platform.edit, DropAfterAccept(), TooMany(0.2))
        await bot.says(event, "one ", "two ", "three", pause=PATIENCE)
        assert bot.shown(event) == ["one two three"]


async def test_a_resumed_answer_posts_nothing_that_is_there(platform):
    needs(platform, "edits")
    text, _ = numbered(500)
    async with running(platform) as bot:
        event, outbox = await bot.hears("a question"), Outbox()
        first = await bot.says(event, text, outbox=outbox)
        posts = bot.posts()
        again = await bot.says(event, text, outbox=Outbox(outbox.known))
        assert (again, bot.posts()) == (first, posts)
        assert len(bot.shown(event)) == len(first.messages) > 1


async def test_a_resumed_answer_posts_what_is_missing(platform):
    needs(platform, "edits")
    text, _ = numbered(500)
    async with running(platform) as bot:
        event = await bot.hears("a question")
        first = await bot.says(event, "half an answ", outbox=(outbox := Outbox()))
        again = await bot.says(event, text, outbox=Outbox(outbox.known))
        assert bare("\n".join(bot.shown(event))) == bare(text)
    assert again.messages[0] == first.messages[0]


async def test_a_resumed_answer_that_is_shorter_takes_the_surplus_away(platform):
    needs(platform, "edits")
    text, _ = numbered(500)
    async with running(platform) as bot:
        event, outbox = await bot.hears("a question"), Outbox()
        first = await bot.says(event, text, outbox=outbox)
        resumed = Outbox(outbox.known)
        again = await bot.says(event, "Short after all.", outbox=resumed)
        assert bot.shown(event) == ["Short after all."]
    assert again.messages == first.messages[:1]
    assert sorted(resumed.known) == [0]


async def test_an_answer_whose_id_was_lost_with_its_process_is_not_shown_twice(platform):
    needs(platform, "edits")
    async with running(platform) as first:
        event, gate = await first.hears("a question"), asyncio.Event()
        killed = asyncio.create_task(first.says(event, "half an answ", outbox=Stuck(), gate=gate))
        await first.until(lambda: platform.visible(event.conversation))
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
    async with running(platform) as second:
        await second.says(event, "half an answer", outbox=Outbox({0: Part(index=0)}))
        assert second.shown(event) == ["half an answer"]


async def test_a_cancelled_answer_closes_its_reply_and_leaves_no_task_behind(platform):
    closed = []

    async def endless():
        try:
            for number in itertools.count():
                yield Text(f"word{number} ")
                await asyncio.sleep(0.01)
        finally:
            closed.append(True)

    async with running(platform) as bot:
        event, before = await bot.hears("a question"), ours()
        answering = asyncio.create_task(bot.sender.deliver(bot.to(event), endless(), Outbox()))
        await bot.until(lambda: bot.shown(event))
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert closed
        assert ours() <= before


async def test_what_goes_wrong_in_a_reply_comes_out_of_it(platform):
    async def broken():
        yield Text("half an answ")
        raise StoreBusy("the disk is full")

    async with running(platform) as bot:
        event, before = await bot.hears("a question"), ours()
        with pytest.raises(StoreBusy):
            await bot.sender.deliver(bot.to(event), broken(), Outbox())
        assert ours() <= before


async def test_a_closed_place_is_gone(platform):
    needs(platform, "closing")
    async with running(platform) as bot:
        event = await bot.hears("a question", "group", mention=True)
        platform.close(event.conversation)
        with pytest.raises(Gone):
            await bot.says(event, "an answer")


FORMS = ("{}", "**{}**", "- one\n- {}", "```\n{}\n```", "| a |\n|---|\n| {} |")


async def test_nothing_that_a_model_writes_pings_anybody(platform):
    needs(platform, "pings")
    words = f"@everyone <!channel> <@U7> {platform.bait}"
    async with running(platform) as bot:
        for place, form in itertools.product(("group", "thread"), FORMS):
            event = await bot.hears(f"{form} in a {place}", place)
            await bot.says(event, form.format(words))
            assert "everyone" in bare("".join(bot.shown(event)))
        platform.command("help")
        await bot.until(lambda: bot.inbox.of(CommandGiven))
        await bot.says(bot.inbox.of(CommandGiven)[0], words)
    assert platform.pings() == []


async def test_nothing_pings_while_it_grows(platform):
    needs(platform, "pings")
    words = f"@every|one <!chan|nel> <@U|7> {platform.bait}"
    async with running(platform, "native") as bot:
        event = await bot.hears("a question", "thread")
        await bot.says(event, *words.split("|"), pause=PATIENCE)
        assert "everyone" in bare("".join(bot.shown(event)))
    assert platform.pings() == []


STRANGE = {
    "a lone surrogate": "before \ud800 after",
    "a null character": "before \0 after",
    "an end mark of a model": "before <|endoftext|> after",
    "html": "<script>alert(1)</script> <b>not closed & &amp; &lt;",
    "unfinished markup": "**bold *both __under ~~strike `code [link](http:// ![x]( | a | b",
    "an open fence": "```python\nprint('never closed')",
    "10,000 emoji": "😀" * 10_000,
    "one long word": "x" * 9_000,
    "code of 400 lines": "```python\n"
    + "\n".join(f"    line{n} = {'y' * (n % 60)}" for n in range(400))
    + "\n```",
    "a table of 100 rows": "| a | b |\n|---|---|\n"
    + "\n".join(f"| r{n} | z |" for n in range(100)),
    "characters of every kind": "مرحبا \u202eright to left\u202c नमस्ते 👩‍👩‍👧‍👦 e\u0301 \u2028 \x07 \x1b[31m",
}


@pytest.mark.parametrize("name", STRANGE)
async def test_strange_words_are_delivered_whole(platform, name):
    text = STRANGE[name]
    async with running(platform) as bot:
        event = await bot.hears("a question")
        receipt = await bot.says(event, text)
        shown = bot.shown(event)
    assert len(receipt.messages) == len(shown) >= 1
    assert bare("".join(shown)) == bare(text)


async def test_markup_that_is_refused_arrives_as_plain_words(platform):
    needs(platform, "markup")
    method, times, error = platform.markup
    async with running(platform) as bot:
        event = await bot.hears("a question")
        platform.fake.script.on(method, *[Refuse(error)] * times)
        text = "# Title\n\nsome **bold** words & <b>tags</b>\n\n```\na < b\n```"
        await bot.says(event, text)
        assert bare("".join(bot.shown(event))) == bare(text)


# Commands ---------------------------------------------------------------------------------------


async def test_every_command_is_shown_and_comes_back_under_its_name(platform):
    names = [command.name for command in CATALOGUE]
    async with running(platform) as bot:
        await bot.sender.publish(CATALOGUE)
        await bot.until(lambda: set(names) <= set(platform.published(CATALOGUE)))
        for name in names:
            platform.command(name)
        await bot.until(lambda: len(bot.inbox.of(CommandGiven)) == len(names))
    given = bot.inbox.of(CommandGiven)
    assert sorted(command.name for command in given) == sorted(names)
    assert all(command.words == "" and command.author.user for command in given)


async def test_what_follows_the_name_of_a_command_are_its_words(platform):
    async with running(platform) as bot:
        await bot.sender.publish(CATALOGUE)
        platform.command("model", "big one")
        await bot.until(lambda: bot.inbox.of(CommandGiven))
    (given,) = bot.inbox.of(CommandGiven)
    assert (given.name, given.words) == ("model", "big one")
    assert given.private is ("groups" in platform.cannot)


async def test_the_answer_to_a_command_reaches_who_gave_it_and_nobody_else(platform):
    async with running(platform) as bot:
        platform.command("help")
        await bot.until(lambda: bot.inbox.of(CommandGiven))
        (given,) = bot.inbox.of(CommandGiven)
        await bot.says(given, "only ", "for you")
        assert platform.told() == ["only for you"]
        if platform.descriptor.abilities.private_replies and not given.private:
            assert bot.shown(given) == []
    assert "reply_via" not in repr(given)


async def test_a_long_answer_to_a_command_is_whole_too(platform):
    text, lines = numbered(200)
    async with running(platform) as bot:
        platform.command("help")
        await bot.until(lambda: bot.inbox.of(CommandGiven))
        await bot.says(bot.inbox.of(CommandGiven)[0], text)
        told = "".join(platform.told())
    assert re.findall(r"L\d{4}", told) == [line[:5] for line in lines]


# Buttons and announcements ------------------------------------------------------------------------

BUTTONS = (
    Button(label="Talk to a person", action="person", value="0123456789abcdef:x.y"),
    Button(label="Good", action="rate", value="1"),
    Button(label="Bad", action="rate", value="0"),
    Button(label="Never mind", action="close"),
)
LABELS = [button.label for button in BUTTONS]


def labels(bot, event):
    """Return the labels below each of our messages in the place of an event."""
    return [list(buttons) for buttons in bot.platform.below(event.conversation)]


async def test_buttons_stand_below_the_last_message_of_an_answer(platform):
    text, _ = numbered(300)
    async with running(platform) as bot:
        event = await bot.hears("a question")
        receipt = await bot.says(event, text, buttons=BUTTONS)
        assert bare("\n".join(bot.shown(event))) == bare(text)
        assert labels(bot, event) == [*[[]] * (len(receipt.messages) - 1), LABELS]


@pytest.mark.parametrize("streaming", ["edit", "native", "off"])
@pytest.mark.parametrize("words", ["hello", "some **bold** words & <b>tags</b>"])
async def test_buttons_come_only_with_the_final_text(platform, streaming, words):
    gate = asyncio.Event()
    async with running(platform, streaming) as bot:
        place = "private" if "groups" in platform.cannot else "thread"
        event = await bot.hears("a question", place)
        answering = asyncio.create_task(bot.says(event, words, gate=gate, buttons=BUTTONS))
        await asyncio.sleep(PATIENCE)
        assert [label for below in labels(bot, event) for label in below] == []
        gate.set()
        await answering
        assert [bare(shown) for shown in bot.shown(event)] == [bare(words)]
        assert labels(bot, event) == [LABELS]


async def test_a_process_that_is_killed_before_the_buttons_is_followed_by_one_that_shows_them(
    platform,
):
    needs(platform, "edits")
    async with running(platform) as bot:
        event, outbox, gate = await bot.hears("a question"), Outbox(), asyncio.Event()
        killed = asyncio.create_task(bot.says(event, "hello", outbox=outbox, gate=gate))
        await bot.until(lambda: bot.shown(event) == ["hello"] and outbox.known)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        for _ in range(2):
            await bot.says(event, "hello", outbox=Outbox(outbox.known), buttons=BUTTONS)
            assert (bot.shown(event), labels(bot, event)) == (["hello"], [LABELS])


async def test_another_answer_in_the_same_messages_takes_old_buttons_away(platform):
    needs(platform, "edits")
    async with running(platform) as bot:
        event, outbox = await bot.hears("a question"), Outbox()
        await bot.says(event, "one **word**", outbox=outbox, buttons=BUTTONS)
        await bot.says(event, "another **word**", outbox=Outbox(outbox.known))
        assert labels(bot, event) == [[]]


async def test_a_pressed_button_says_what_it_was_made_for_and_is_answered(platform):
    async with running(platform) as bot:
        place = "private" if "groups" in platform.cannot else "group"
        event = await bot.hears("a question", place, mention=True)
        receipt = await bot.says(event, "an answer", buttons=BUTTONS)
        for number, button in enumerate(BUTTONS, start=1):
            platform.press(event.conversation, button.label)
            await bot.until(lambda number=number: len(bot.inbox.of(Pressed)) == number)
            pressed = bot.inbox.of(Pressed)[-1]
            assert (pressed.action, pressed.value) == (button.action, button.value)
            assert (pressed.author.user, pressed.message) == (
                event.author.user, receipt.messages[-1],
            )  # fmt: skip
            assert pressed.conversation == event.conversation
            await bot.says(pressed, f"{button.label}: done")
            assert platform.told()[-1] == f"{button.label}: done"
    if platform.descriptor.abilities.private_replies and not event.private:
        assert bot.shown(event) == ["an answer"]


FORGERIES = (
    '{"components": [{"type": 1, "components": [{"type": 2, "label": "x", "custom_id": "a:1"}]}]}',
    '{"type": "actions", "elements": [{"type": "button", "action_id": "a"}]}',
    '<button action="a:1">x</button> <a href="tg://callback?data=a:1">x</a>',
    "[x](callback:a:1) [/1] x\n\n| a |\n|---|\n| [/1] x |",
)


@pytest.mark.parametrize("words", FORGERIES)
async def test_nothing_that_a_model_writes_is_a_button(platform, words):
    async with running(platform, "native") as bot:
        place = "private" if "groups" in platform.cannot else "thread"
        await bot.says(await bot.hears("a question", place), words)
        event = await bot.hears("another question", place)
        await bot.says(event, words, buttons=BUTTONS[:1])
        assert labels(bot, event) == [[], LABELS[:1]]


async def test_an_announcement_is_shown_once_in_its_place_and_its_buttons_work(platform):
    async with running(platform) as bot:
        place = "private" if "groups" in platform.cannot else "group"
        event = await bot.hears("hello", place, mention=True)
        where = event.conversation.parent
        notice = Announced(
            id="parley:1", at=0.0, conversation=where, text="", private=event.private
        )
        await bot.says(notice, "Somebody asks for a person.", buttons=BUTTONS)
        assert platform.visible(where) == ["Somebody asks for a person."]
        platform.press(where, LABELS[0])
        await bot.until(lambda: bot.inbox.of(Pressed))
        (pressed,) = bot.inbox.of(Pressed)
        assert (pressed.action, pressed.value) == (BUTTONS[0].action, BUTTONS[0].value)
        await bot.says(pressed, "It is yours.")
        assert platform.told()[-1] == "It is yours."


async def test_an_announcement_for_one_person_is_seen_by_nobody_else(platform):
    if not platform.descriptor.abilities.whispers:
        pytest.skip(f"{platform.descriptor.name}: whoever wants to whisper has to be asked first")
    async with running(platform) as bot:
        place = "private" if "groups" in platform.cannot else "group"
        event = await bot.hears("hello", place, mention=True)
        notice = Announced(
            id="parley:1", at=0.0, conversation=event.conversation, text="", hidden=True,
            private=event.private, author=event.author, message=event.message,
        )  # fmt: skip
        await bot.says(notice, "For you **alone**.", buttons=BUTTONS)
        assert platform.whispered() == ["For you **alone**."]
        if not event.private:
            assert bot.shown(event) == platform.visible(event.conversation.parent) == []
