"""Questions that no document answered: who sees them, how they are closed, and forgotten."""

from dataclasses import replace

import pytest

from adapters.discord.descriptor import DESCRIPTOR as DISCORD
from adapters.slack.descriptor import DESCRIPTOR as SLACK
from bot.core import sentences
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Left
from bot.domain.policy import MemoryPolicy
from tests.events import ANN, command, message
from tests.harness import running
from tests.integration import test_grounds
from tests.integration.conftest import deletion, stored
from tests.integration.test_engine_faults import refused
from tests.integration.test_grounds import HOURS, quoting, shelve, vectored
from tests.integration.test_learning import BOB, bytes_with, documents, house

__all__ = ["house"]

ZOE = Person(platform="fake", user="zoe", name="Zoe")
HERS = Conversation(platform="fake", workspace="W", channel="zoe")
GROUP = Conversation(platform="fake", workspace="W", channel="group", thread="1")
OTHER = Conversation(platform="fake", workspace="W", channel="other")
ASKED = "do you ship to Norway?"
OPEN = "select 1 from gaps where document is null"


def here(place=GROUP, author=ZOE):
    return {"conversation": place, "author": author, "private": False}


def hers(**changes):
    return {"conversation": HERS, "author": ZOE, **changes}


def gaps(folder):
    return [q for (q,) in stored(folder, "select question from gaps order by id")]


async def number(platform, **place):
    """Return the number of the first question in the list."""
    return (await asked(platform, command("gaps", **place))).split("`")[1]


@pytest.fixture(autouse=True)
def folder(platform, tmp_path):
    platform.folder = tmp_path


async def asked(platform, event):
    """Send one event; return the answer to it once its turn has ended."""
    answer = await test_grounds.asked(platform, event)
    waiting = "select 1 from inbox where payload is not null"
    await platform.until(lambda: not stored(platform.folder, waiting))
    return answer


@pytest.fixture
async def shop(house):
    """Answer from the opening hours alone."""
    await shelve(house, HOURS)
    return house


async def test_a_link_in_a_question_shows_where_it_leads(shop, platform):
    async with running(shop, platform):
        words = "who opens [the safe](https://evil.example/)?"
        await asked(platform, message(words, **here()))
        which = await number(platform)
        said = [await asked(platform, command("gaps", *arguments))
                for arguments in ((), (which,), (f"{which} Nobody.",))]  # fmt: skip
    assert all("[the safe] (`https://evil.example/`)" in one for one in said)


async def test_a_question_with_marks_of_code_hides_no_other_one(shop, platform):
    async with running(shop, platform):
        for words in ("who opens ``` the safe", "```", "do you ship to ` Norway?"):
            await asked(platform, message(words, **here()))
        listed = await asked(platform, command("gaps"))
    assert listed.count("```") == 0
    assert "ship to ˋ Norway?" in listed


async def test_an_answer_to_a_gap_is_told_and_closes_all_that_ask_the_same(
    shop, platform, tmp_path
):
    async with running(shop, platform):
        await asked(platform, message(ASKED, **here()))
        await asked(platform, message("Do you ship to Norway, too?", **here(author=BOB)))
        await asked(platform, message("who repairs bicycles?", **here()))
        assert "Tuesday" in await asked(platform, message("open on Sundays?", **here()))
        listed = await asked(platform, command("gaps"))
        assert "2× Do you ship to Norway, too?" in listed
        assert listed.count("\n- ") == 1
        assert "Zoe" not in listed
        assert "zoe" not in listed
        which = await number(platform)
        assert ASKED in await asked(platform, command("gaps", which))
        said = await asked(platform, command("gaps", f"{which} Yes, for 15 euros."))
        assert said.startswith("“Do you ship to Norway, too?”: from now on")
        assert said.endswith(f"{sentences.CLOSED_TOO}\n\n- “{ASKED}”")
        assert "15 euros" in await asked(platform, message(ASKED, **hers()))
        assert "Norway" not in await asked(platform, command("gaps"))
        assert "taught" in stored(tmp_path, "select owner from documents order by id desc")[0][0]
        await asked(platform, command("gaps", f"{await number(platform)} dismiss"))
        assert await asked(platform, command("gaps")) == sentences.NO_GAPS


async def test_what_was_asked_in_private_is_shown_to_the_house_alone_and_without_names(
    shop, platform, tmp_path
):
    async with running(shop, platform):
        await asked(platform, message(ASKED, **hers()))
        listed = await asked(platform, command("gaps"))
        assert "ship to Norway? (in private)" in listed
        assert "zoe" not in listed.lower()
        for place in (here(author=ANN), here(author=BOB), here(OTHER, ANN)):
            assert await asked(platform, command("gaps", **place)) == sentences.NO_GAPS
            refused = await asked(platform, command("gaps", "1 dismiss", **place))
            assert "no question" in refused
        assert "in a group" in await asked(platform, command("gaps", author=BOB))
        assert "Only moderators" in await asked(platform, command("gaps", **hers()))
        assert gaps(tmp_path) == [ASKED]


async def test_what_was_said_in_private_is_not_shown_where_others_read_whatever_its_place_is_called(
    shop, platform
):
    async with running(shop, platform):
        await asked(platform, message(ASKED, **hers(conversation=GROUP)))
        listed = await asked(platform, command("gaps", **here(author=ANN)))
    assert listed == sentences.NO_GAPS


async def test_a_private_question_never_stands_above_an_answer(shop, platform, tmp_path):
    async with running(shop, platform):
        await asked(platform, message(f"{ASKED} I am Zoe Smith", **hers()))
        which = await number(platform)
        said = await asked(platform, command("gaps", f"{which} Yes, for 15 euros."))
        assert "in your own words" in said
        assert len(gaps(tmp_path)) == 1
        await asked(platform, command("gaps", f"{which} Shipping to Norway? = Yes, 15 euros."))
        answer = await asked(platform, message("shipping to Norway?", **hers()))
    assert "15 euros" in answer
    assert gaps(tmp_path) == []
    assert "Smith" not in str(documents(tmp_path))


async def test_all_words_behind_the_number_answer_what_was_asked_in_a_group(shop, platform):
    async with running(shop, platform):
        await asked(platform, message("how many screws are in a box?", **here()))
        which = await number(platform)
        said = await asked(platform, command("gaps", f"{which} One box = 12 screws = 3 bags."))
        assert said.startswith("“how many screws are in a box?”: from now on")
        answer = await asked(platform, message("how many screws are in a box?", **hers()))
    assert answer.startswith("> One box = 12 screws = 3 bags. [1]")


@pytest.mark.parametrize(
    ("words", "said"), [("Yes, for 15 euros.", "“do you ship to Norway?”: from now on"),
                        ("dismiss", "Dismissed.")],
)  # fmt: skip
async def test_an_order_that_is_repeated_says_what_its_first_attempt_has_done(
    words, said, shop, platform, tmp_path, caplog
):
    async with running(shop, platform):
        await asked(platform, message(ASKED, **here()))
        which = await number(platform)
        with refused(tmp_path, "insert on steps when new.name = 'answered'"):
            known = len(platform.texts())
            assert await platform.inbox.accept(command("gaps", f"{which} {words}"))
            await platform.until(lambda: "failed, again" in caplog.text)
            assert stored(tmp_path, OPEN) == []
        (answer,) = (await platform.answers(known + 1))[known:]
        assert answer.startswith(said)
    assert len(documents(tmp_path)) == (1 if words == "dismiss" else 2)


async def test_in_a_group_only_its_own_questions_are_shown_to_its_moderators(shop, platform):
    async with running(shop, platform):
        await asked(platform, message(ASKED, **here()))
        await asked(platform, message("who repairs bicycles?", **here(OTHER)))
        listed = await asked(platform, command("gaps", **here(OTHER, BOB)))
        assert "bicycles" in listed
        assert "Norway" not in listed
        which = await number(platform, **here(OTHER, BOB))
        refused = await asked(platform, command("gaps", f"{which} By Zoe.", **here(OTHER, BOB)))
        assert refused == sentences.NOT_OF_THE_HOUSE
        await asked(platform, command("gaps", f"{which} dismiss", **here(OTHER, BOB)))
        assert "bicycles" not in await asked(platform, command("gaps"))


@pytest.mark.parametrize(("like", "found"), [(SLACK, True), (DISCORD, False)])
async def test_in_a_channel_questions_of_its_threads_are_shown_only_where_commands_name_none(
    like, found, shop, platform
):
    channel, beside = replace(GROUP, thread=""), replace(GROUP, thread="2")
    async with running(shop, platform, descriptors={"fake": like}):
        await asked(platform, message(ASKED, **here()))
        which = await number(platform)
        for place in (channel, beside):
            listed = await asked(platform, command("gaps", **here(place, BOB)))
            assert ("Norway" in listed) == found
            told = await asked(platform, command("gaps", which, **here(place, BOB)))
            assert ("Norway" in told) == found
        assert "Norway" in await asked(platform, command("gaps", **here(GROUP, BOB)))


async def test_questions_are_put_together_by_their_meaning(house, config, platform, model):
    await shelve(house, HOURS)
    house = replace(vectored(config), bot=house.bot, roles=house.roles)
    async with running(house, platform):
        for text in ("what about the shipping to Norway", "what about the shipping to Norway now",
                     "who will mend my old bicycle"):  # fmt: skip
            await asked(platform, message(text, **here()))
        listed = await asked(platform, command("gaps"))
        assert "2× what about the shipping to Norway now" in listed
        assert "who will mend" in listed
        model.vectors = lambda body: {"data": "nonsense"}
        assert "Norway" in await asked(platform, command("gaps", **here(author=ANN)))


async def test_a_model_that_answers_without_documents_leaves_a_gap(
    shop, config, platform, model, tmp_path
):
    shop = replace(shop, models=config.models)
    async with running(shop, platform):
        for text in ("hello there", "thanks a lot!", "who repairs bicycles?", "open on Sundays?"):
            await asked(platform, message(text, **hers()))
    assert gaps(tmp_path) == ["who repairs bicycles?"]


async def test_without_documents_a_model_leaves_no_gaps(house, config, platform, tmp_path):
    async with running(replace(house, models=config.models), platform):
        await asked(platform, message("who repairs bicycles?", **hers()))
    assert gaps(tmp_path) == []


async def test_where_nothing_is_remembered_no_question_is_kept(shop, platform, tmp_path):
    shop = replace(shop, memory=MemoryPolicy(retention_days=0))
    async with running(shop, platform):
        await asked(platform, message(ASKED, **hers()))
    assert gaps(tmp_path) == []


@pytest.mark.parametrize("answered", [False, True])
async def test_a_forgotten_person_s_question_is_gone_to_the_last_byte(
    answered, shop, platform, tmp_path
):
    async with running(shop, platform):
        await asked(platform, message("do you ship to CANARY?", **here()))
        exported = await asked(platform, command("export", **hers()))
        if answered:
            which = await number(platform)
            await asked(platform, command("gaps", f"{which} Yes, for 15 euros."))
            assert "15 euros" in await asked(
                platform, message("ship to canary?", **here(author=BOB))
            )
            await asked(platform, command("forget_me", "yes", author=BOB))
        assert bytes_with(tmp_path, b"canary")
        await asked(platform, command("forget_me", "yes", **hers()))
        await platform.until(lambda: not bytes_with(tmp_path, b"canary"))
        assert stored(tmp_path, "select count(*) from gaps") == [(0,)]
        if answered:
            answer = await asked(platform, message("is it 15 euros?", **here(author=BOB)))
            assert "> Yes, for 15 euros." in answer
    assert bytes_with(tmp_path, b"canary") == []
    assert exported


async def test_a_deleted_question_and_a_place_that_was_left_leave_no_gaps(shop, platform, tmp_path):
    event = message(ASKED, **here())
    async with running(shop, platform):
        await asked(platform, event)
        await platform.inbox.accept(deletion(event))
        await platform.until(lambda: not gaps(tmp_path) and not platform.texts())
        await asked(platform, message("who repairs bicycles?", **here(OTHER)))
        assert gaps(tmp_path)
        await platform.inbox.accept(Left(id="left", at=2000.0, conversation=OTHER))
        await platform.until(lambda: not gaps(tmp_path))


async def test_questions_are_kept_as_long_as_lines(shop, platform, tmp_path):
    async with running(shop, platform) as engine:
        event = message(ASKED, **here())
        await asked(platform, event)
        tidying = engine.keeping.tidying
        await tidying.tidy(event.at + 29 * 86400)
        assert gaps(tmp_path) == [ASKED]
        await tidying.tidy(event.at + 31 * 86400)
        assert gaps(tmp_path) == []


async def test_what_is_exported_names_the_open_questions(config, platform, tmp_path):
    await shelve(config, HOURS)
    async with running(quoting(config), platform) as engine:
        await asked(platform, message(ASKED, **here()))
        told = await engine.keeping.forgetting.privacy.export(str(ZOE))
    assert [gap["question"] for gap in told["unanswered"]] == [ASKED]


async def test_a_question_that_is_asked_anew_and_answered_is_no_gap_any_more(
    shop, platform, tmp_path
):
    async with running(shop, platform) as engine:
        await asked(platform, message(ASKED, **hers()))
        await asked(platform, command("retry", **hers()))
        assert gaps(tmp_path) == [ASKED]
        await asked(platform, command("learn", "do you ship to Norway? = Yes, for 15 euros."))
        await platform.inbox.accept(command("retry", **hers()))
        await platform.until(lambda: any("15 euros. [1]" in text for text in platform.texts()))
        await platform.until(lambda: not gaps(tmp_path))
        assert engine


async def test_who_deletes_a_line_of_theirs_deletes_the_question(shop, platform, tmp_path):
    async with running(shop, platform):
        await asked(platform, message(ASKED, **hers()))
        await asked(platform, command("memory", "forget 1", **hers()))
    assert gaps(tmp_path) == []


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("do you ship to Norway?", "can you ship it to Norway?", True),
        ("do you ship to Norway?", "do you ship to Iceland?", False),
        ("where is order 7741?", "where is order 7742?", False),
        ("do you mend bicycles?", "do you sell tents?", False),
    ],
)
async def test_questions_about_different_names_are_different(
    first, second, together, shop, platform
):
    async with running(shop, platform):
        for text in (first, second):
            await asked(platform, message(text, **here()))
        listed = await asked(platform, command("gaps"))
    assert ("2×" in listed) == together
