"""Several pictures sent at once come one by one, and are one message all the same."""

from dataclasses import replace

import pytest

from bot.backends.sqlite.store import opened
from bot.config.sections import TurnSettings
from bot.domain.attachments import FileSettings
from bot.domain.budgets import Budgets
from bot.domain.conversation import Person
from bot.domain.events import Attachment, MessageDeleted
from tests.events import PLACE, message
from tests.fakes.files import FakeFiles
from tests.harness import running
from tests.integration.attachments_rig import answering, asked, chat, png
from tests.integration.conftest import edit, lines, stored
from tests.integration.test_moderation import Kept

BOB = Person(platform="fake", user="bob", name="Bob")


@pytest.fixture
def config(config):
    return replace(config, models={"main": replace(config.models["main"], vision=True)})


def part(text="", number=0, **changes):
    files = (Attachment(name="photo", type="image/jpeg", source=f"{number}.png"),)
    return message(text, attachments=files, **{"album": "A", **changes})


def questions(model):
    return [call for call in model.calls if call.method == "chat.completions"]


def pictures(model, call=-1):
    content = asked(model, call)[1]
    return sum(one["type"] == "image_url" for one in content) if isinstance(content, list) else 0


@pytest.fixture
async def shelf(config, platform):
    """Return the configuration of a platform that keeps some pictures."""
    async with FakeFiles() as files:
        for number in range(12):
            files.serve(f"/{number}.png", png(), "image/png")
        platform.files = Kept(f"http://127.0.0.1:{files.port}")
        yield replace(config, adapters={"fake": platform.files})


async def test_an_album_on_telegram_is_one_question_with_all_its_files(config, model):
    model.answer = "Two dots."
    async with chat("telegram") as here, answering(here, config):
        for number, caption in enumerate(["What are these?", ""]):
            document = here.fake.upload(f"{number}.png", png(), "image/png")
            here.fake.say("", document=document, caption=caption, media_group_id="77")
        await here.answer("Two dots.")
    assert len(questions(model)) == 1
    assert pictures(model) == 2
    assert "What are these?" in asked(model)[1][0]["text"]


async def test_parts_behind_the_words_of_a_mention_are_addressed_like_it(config, model):
    async with chat("telegram") as here, answering(here, config):
        group = {"chat": -100, "kind": "supergroup", "private": False}
        for number in range(2):  # nobody has mentioned the bot here
            document = here.fake.upload(f"{number}.png", png(), "image/png")
            here.fake.say("", document=document, media_group_id="76", **group)
        mention = "@parley_bot these?"
        for number, caption in enumerate([mention, "", ""]):
            document = here.fake.upload(f"{number}.png", png(), "image/png")
            entities = here.fake._entities(caption)
            here.fake.say("", document=document, caption=caption, media_group_id="77",
                          caption_entities=entities, **group)  # fmt: skip
        await here.fake.until(lambda: questions(model))
        await here.fake.until(lambda: here.fake.shown(-100))
    assert len(questions(model)) == 1
    assert pictures(model) == 3


async def test_an_album_waits_for_its_parts_over_a_restart(shelf, platform, model):
    first = part("All of them?", 0, private=False)
    async with opened(shelf.data_dir / "parley.db") as store:  # a bot that is killed at once
        await store.lanes.ingest(first, lane=str(PLACE), memory=str(PLACE))
    async with running(shelf, platform):
        await platform.inbox.accept(part("", 1, addressed=False, private=False))
        await platform.answers(1)
    assert len(questions(model)) == 1
    assert pictures(model) == 2


async def test_what_others_say_between_the_parts_is_answered_by_itself(shelf, platform, model):
    async with running(shelf, platform):
        for said in (part("Mine?", 0), message("Hello!", author=BOB), part("", 1)):
            await platform.inbox.accept(said)
        await platform.answers(2)
    assert [pictures(model, call) for call in range(2)] == [2, 0]
    assert [text for role, _, text in lines(shelf.data_dir) if role == "user"] == [
        "Mine?\n\n[attached then, not shown any more: photo, photo]", "Hello!",
    ]  # fmt: skip


async def test_other_messages_of_its_author_are_no_part_of_it(shelf, platform, model):
    async with running(shelf, platform):
        for said in (part("First?", 0), message("And tea?"), part("", 1, album="B")):
            await platform.inbox.accept(said)
        await platform.answers(3)
    assert [pictures(model, call) for call in range(3)] == [1, 0, 1]


async def test_a_part_that_is_deleted_takes_its_picture_along(shelf, platform, model):
    gone = part("", 1)
    async with running(shelf, platform):
        for said in (part("These?", 0), gone, part("", 2)):
            await platform.inbox.accept(said)
        await platform.inbox.accept(MessageDeleted(
            id="gone", at=gone.at, conversation=PLACE, messages=(gone.message,)
        ))  # fmt: skip
        await platform.answers(1)
    assert pictures(model) == 2


async def test_a_picture_that_is_deleted_while_it_is_answered_is_not_shown_again(
    shelf, platform, model
):
    gone = part("", 1)
    model.delay = 0.5
    async with running(shelf, platform):
        for said in (part("These?", 0), gone):
            await platform.inbox.accept(said)
        await model.until_called()
        await platform.inbox.accept(MessageDeleted(
            id="gone", at=gone.at, conversation=PLACE, messages=(gone.message,)
        ))  # fmt: skip
        await platform.answers(1)
    assert [pictures(model, call) for call in (0, -1)] == [2, 1]


async def test_the_words_of_an_album_can_still_be_changed(shelf, platform, model):
    first = part("Tese?", 0)
    async with running(shelf, platform):
        for said in (first, part("", 1)):
            await platform.inbox.accept(said)
        await platform.inbox.accept(edit(first, "These?"))
        await platform.answers(1)
    assert "These?" in asked(model)[1][0]["text"]
    assert pictures(model) == 2


async def test_an_album_is_one_message_for_the_pace_and_its_files_are_counted_together(
    shelf, platform, model
):
    paced = replace(shelf, budgets=Budgets(rate_per_minute=1), files=FileSettings(max_files=3))
    async with running(paced, platform):
        for number in range(5):
            await platform.inbox.accept(part("" if number else "These?", number))
        await platform.answers(1)
    assert pictures(model) == 3
    assert "photo" in platform.texts()[0]  # it says which ones it has left out
    assert platform.texts()[0].endswith("You said: These?") or "3 files" in platform.texts()[0]


async def test_of_an_album_that_is_refused_no_part_is_answered(shelf, platform, model):
    paced = replace(shelf, budgets=Budgets(rate_per_minute=1))
    async with running(paced, platform):
        await platform.inbox.accept(message("one"))
        for number in range(3):
            await platform.inbox.accept(part("" if number else "These?", number))
        await platform.answers(2)
    assert len(questions(model)) == 1


async def test_a_part_that_comes_late_is_a_message_of_its_own(shelf, platform, model):
    async with running(shelf, platform):
        await platform.inbox.accept(part("This?", 0))
        await platform.answers(1)
        await platform.inbox.accept(part("", 1))
        await platform.answers(2)
    assert [pictures(model, call) for call in range(2)] == [1, 1]
    assert stored(shelf.data_dir, "select count(*) from inbox where payload is not null") == [(0,)]


async def test_quick_messages_that_are_taken_together_keep_their_files(shelf, platform, model):
    quick = replace(shelf, turns=TurnSettings(debounce_ms=100))
    async with running(quick, platform):
        for number in range(2):
            await platform.inbox.accept(part(f"number {number}", number, album=""))
        await platform.answers(1)
    assert pictures(model) == 2
