"""What admins teach in chat: answers, files and pages; who may, what is told, what is taken back."""

import ssl
from dataclasses import replace
from functools import partial

import pytest

from bot.backends.files import downloading
from bot.config.sections import DocumentsSettings
from bot.core import sentences
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Attachment
from bot.domain.knowledge import CollectionSettings
from bot.domain.permissions import Roles
from tests.events import ANN, command, message
from tests.fakes.files import FakeFiles, Names, certified
from tests.harness import running
from tests.integration.attachments_rig import answering, chat
from tests.integration.conftest import stored
from tests.integration.test_grounds import asked, shelve
from tests.integration.test_moderation import Kept

BOB = Person(platform="fake", user="bob", name="Bob")
CARL = Person(platform="fake", user="carl", name="Carl", roles=("boss",))
GROUP = Conversation(platform="fake", workspace="W", channel="group")
OWN = Conversation(platform="fake", workspace="W", channel="own")
NORWAY = "Do you ship to Norway? = Yes, for 15 euros."
HANDBOOK = (
    "handbook.md",
    b"# Handbook\n\n## Bicycles\n\nWe mend bicycles on Mondays.",
    "text/plain",
)


@pytest.fixture
def house(config):
    """Ann is an admin of the house, Bob a moderator, and Carl an admin in one place alone."""
    return replace(
        config,
        models={"main": DocumentsSettings()},
        bot=replace(config.bot, admins=(str(ANN),)),
        roles=Roles(moderator=(str(BOB),), admin=("fake:W:group:@boss",)),
    )


def audit(folder):
    return stored(folder, "select actor, action, subject from audit order by id")


def documents(folder):
    return stored(folder, "select collection, title, owner from documents order by id")


def bytes_with(folder, word):
    return [p.name for p in folder.rglob("*") if p.is_file() and word in p.read_bytes().lower()]


@pytest.mark.parametrize(
    "words",
    [NORWAY, "Do you ship to Norway?\nYes, for 15 euros.", f"--collection more {NORWAY}",
     f"{NORWAY} —collection more"],
)  # fmt: skip
async def test_an_answer_is_found_at_once_everywhere_until_it_is_taken_back(
    words, house, platform, tmp_path
):
    async with running(house, platform):
        said = await asked(platform, command("learn", words))
        assert said.startswith("“Do you ship to Norway?”: from now on")
        assert "everybody who asks" in said
        assert "`/unlearn 1`" in said
        answer = await asked(platform, message("do you ship to Norway", author=BOB,
                                               conversation=GROUP, private=False))  # fmt: skip
        assert answer.startswith("> Yes, for 15 euros.")
        assert "Learned in chat › Do you ship to Norway?" in answer
        assert "Norway" in await asked(platform, command("unlearn"))
        assert "Norway" in await asked(platform, command("unlearn", "1"))
        assert "15 euros" not in await asked(platform, message("do you ship to Norway"))
        assert "taught nothing" in await asked(platform, command("unlearn"))
    assert audit(tmp_path) == [("fake::ann", "learn", "1"), ("fake::ann", "unlearn", "1")]


async def test_what_is_taken_back_is_gone_to_the_last_byte(house, platform, tmp_path):
    async with running(house, platform):
        await asked(platform, command("learn", "Where is the CANARY? = In the CANARY cage."))
        assert bytes_with(tmp_path, b"canary")
        await asked(platform, command("unlearn"))
        await asked(platform, command("unlearn", "1"))
        assert stored(tmp_path, "select count(*) from passages") == [(0,)]
        assert stored(tmp_path, "select term from passage_terms") == []


async def test_a_list_of_what_was_taught_names_in_a_group_what_may_be_read_there(house, platform):
    house = replace(house, collections={"staff": CollectionSettings(readers=("moderator",))})
    group = {"conversation": GROUP, "private": False}
    async with running(house, platform):
        await asked(platform, command("learn", "--collection staff Who is to be fired? = Zoe."))
        assert "fired" in await asked(platform, command("unlearn"))
        listed = await asked(platform, command("unlearn", **group))
        assert "staff" not in listed
        assert "fired" not in listed
        assert sentences.TAUGHT_IN_PRIVATE in listed
        await asked(platform, command("learn", NORWAY))
        listed = await asked(platform, command("unlearn", **group))
        assert listed.startswith("- `2` Do you ship to Norway? (`learned`)\n")
        gone = await asked(platform, command("unlearn", "1", **group))
        assert "fired" not in gone


async def test_who_taught_it_stands_there_as_a_hash_alone(house, platform, tmp_path):
    async with running(house, platform):
        await asked(platform, command("learn", NORWAY))
    ((collection, title, owner),) = documents(tmp_path)
    assert (collection, title) == ("learned", "Do you ship to Norway?")
    assert owner.startswith("taught by ")
    assert owner.endswith(" on fake")
    assert "ann" not in owner.lower().replace("taught by", "")


async def test_the_same_question_taught_again_has_the_new_answer_alone(house, platform, tmp_path):
    async with running(house, platform):
        await asked(platform, command("learn", NORWAY))
        await asked(platform, command("learn", "do you  ship to norway? = No more."))
        answer = await asked(platform, message("do you ship to Norway"))
    assert answer.startswith("> No more.")
    assert len(documents(tmp_path)) == 1


async def test_what_was_taught_comes_before_what_was_written_down(house, platform):
    await shelve(house, ("Do you ship to Norway?", "The old handbook says no."))
    async with running(house, platform):
        assert "old handbook" in await asked(platform, message("do you ship to Norway?"))
        await asked(platform, command("learn", NORWAY))
        assert "15 euros" in await asked(platform, message("do you ship to Norway?"))


async def test_sources_of_what_was_taught_show_no_key_of_ours(house, platform):
    async with running(house, platform):
        await asked(platform, command("learn", NORWAY))
        answer = await asked(platform, message("do you ship to Norway"))
        assert answer.endswith("[1] Learned in chat › Do you ship to Norway?")
        shown = await asked(platform, command("sources"))
        assert shown.splitlines()[0] == "1. Learned in chat › Do you ship to Norway?"
        assert "no source" in await asked(platform, command("sources", "9" * 5_000))


async def test_a_collection_with_readers_is_told_to_them_alone(house, platform):
    house = replace(house, collections={"staff": CollectionSettings(readers=("moderator",))})
    async with running(house, platform):
        said = await asked(platform, command("learn", f"--collection staff {NORWAY}"))
        assert "whoever may read `staff`" in said
        question = "do you ship to Norway?"
        stranger = Person(platform="fake", user="zoe")
        assert "15 euros" in await asked(platform, message(question, author=BOB, conversation=OWN))
        assert "15 euros" not in await asked(platform, message(question, author=stranger))


@pytest.mark.parametrize(
    "words", ["", "nothing at all", "only a question? = ", " = only an answer"]
)
async def test_half_a_lesson_is_explained(words, house, platform, tmp_path):
    async with running(house, platform):
        said = await asked(platform, command("learn", words))
    assert said == sentences.HOW_TO_LEARN.format(slash="/")
    assert documents(tmp_path) == []


@pytest.mark.parametrize("who", [BOB, CARL, Person(platform="fake", user="zoe"),
                                 replace(ANN, user="zoe", bot=True)])  # fmt: skip
@pytest.mark.parametrize("given", [("learn", NORWAY), ("learn", "https://example.com/"),
                                   ("unlearn", "1"), ("unlearn", ""), ("gaps", "1 Yes = No")])  # fmt: skip
async def test_nobody_without_the_right_adds_or_removes_anything(
    who, given, house, platform, tmp_path
):
    async with running(house, platform):
        await asked(platform, command("learn", "What is that? = A secret."))
        await asked(platform, message("do you sell bicycles?", conversation=GROUP, private=False))
        before = documents(tmp_path)
        if not who.bot:
            said = await asked(platform, command(*given, author=who, conversation=GROUP,
                                                 private=False))  # fmt: skip
            assert "Only" in said or "only" in said
            assert "secret" not in said
        else:
            await platform.inbox.accept(command(*given, author=who))
        assert documents(tmp_path) == before


async def test_documents_that_were_not_taught_in_chat_are_not_taken_back_there(house, platform):
    id = await shelve(house, ("Returns", "Within 30 days."))
    async with running(house, platform):
        said = await asked(platform, command("unlearn", str(id)))
        assert said == sentences.NOT_TAUGHT.format(slash="/")
        assert await asked(platform, command("unlearn", "²")) == said
        assert "30 days" in await asked(platform, message("what about returns?"))


async def test_help_shows_the_commands_to_those_who_may_use_them(house, platform):
    async with running(house, platform):
        admin, moderator = [
            await asked(platform, command("help", author=who)) for who in (ANN, BOB)
        ]
    assert all(f"`/{name}`" in admin for name in ("learn", "unlearn", "gaps"))
    assert "`/gaps`" in moderator
    assert "learn`" not in moderator


async def test_a_page_of_nobody_s_business_is_not_fetched(house, platform, tmp_path):
    async with running(house, platform):
        said = await asked(platform, command("learn", "https://127.0.0.1/secret"))
    assert "“" not in said
    assert documents(tmp_path) == []


# ---- files that are dropped


@pytest.mark.parametrize("name", ["slack", "discord", "telegram"])
@pytest.mark.parametrize(
    ("words", "collection"), [("learn", "default"), ("Learn: repairs", "repairs")]
)
async def test_an_admin_drops_a_file_on_every_platform(
    name, words, collection, house, model, tmp_path
):
    async with chat(name) as here:
        person = {"slack": "slack:T1:U7", "discord": "discord::501", "telegram": "telegram::42"}
        house = replace(house, bot=replace(house.bot, admins=(person[name],)))
        async with answering(here, house):
            here.send(words, HANDBOOK)
            said = await here.answer("Handbook")
            assert "1 passage in" in said.replace("`", "").replace("*", "")
            assert collection in said
            here.send("When do you mend bicycles?", *([] if name != "telegram" else [HANDBOOK]))
            assert "on Mondays" in await here.answer("Mondays")
    assert [row[:2] for row in documents(tmp_path)] == [(collection, "Handbook")]
    assert model.calls == []


@pytest.mark.parametrize("name", ["slack", "discord", "telegram"])
async def test_others_hear_that_files_are_learned_from_admins_and_are_answered(
    name, config, model, tmp_path
):
    model.answer = "I have read it."
    async with chat(name) as here, answering(here, config):
        here.send("learn", HANDBOOK)
        await here.answer("I have read it.")
        await here.answer("only from my admins")
    assert documents(tmp_path) == []


class Disk(Kept):
    """Files of the fake platform."""


@pytest.fixture
async def disk(platform, house):
    async with FakeFiles() as files:
        platform.files = Disk(f"http://127.0.0.1:{files.port}")
        yield files, replace(house, adapters={"fake": platform.files})


@pytest.fixture
async def web(tmp_path_factory, monkeypatch):
    """A public page server: the real downloader may go there, and to no other place."""
    tls = certified(tmp_path_factory.mktemp("tls"), "pages.example")
    async with FakeFiles(tls=tls) as pages:
        real = partial(
            downloading.Downloader, ports=(pages.port,),
            resolve=Names({"pages.example": ["127.0.0.1"]}),
            permits=lambda address: address == "127.0.0.1",
            tls=ssl.create_default_context(cafile=tls[0]),
        )  # fmt: skip
        monkeypatch.setattr(downloading, "Downloader", real)
        yield pages


def dropped(*names, words="learn", **changes):
    return message(words, attachments=tuple(Attachment(name=n, source=n) for n in names), **changes)


async def test_a_page_is_learned_with_its_address_and_read_anew(web, house, platform, tmp_path):
    files = web
    page = "<html><title>T</title><h1>Bicycles</h1><p>We mend bicycles on {}.</p></html>"
    address = f"https://pages.example:{web.port}/page.html"
    async with running(house, platform):
        files.serve("/page.html", page.format("Mondays").encode(), "text/html")
        said = await asked(platform, command("learn", f"<{address}>"))
        assert "in `default`" in said
        answer = await asked(platform, message("when do you mend bicycles?"))
        assert "Mondays" in answer
        assert f"({address})" in answer
        files.serve("/page.html", page.format("Fridays").encode(), "text/html")
        await asked(platform, command("learn", f"{address} --collection default"))
        assert "Fridays" in await asked(platform, message("when do you mend bicycles?"))
        refused = await asked(platform, command("learn", address.replace("page.html", "none.html")))
        assert "passage" not in refused
    assert len(documents(tmp_path)) == 1


async def test_each_file_says_what_became_of_it_and_none_is_cut_for_a_prompt(
    disk, platform, tmp_path
):
    files, house = disk
    files.serve("/a.md", HANDBOOK[1])
    files.serve("/long.txt", b"\n\n".join(b"Sentence %d is here." % n for n in range(9000)))
    files.serve("/empty.txt", b" ")
    async with running(house, platform):
        said = await asked(platform, dropped("a.md", "long.txt", "empty.txt", "gone.txt"))
        handbook, long, empty, gone = said.splitlines()
        assert "“Handbook”: 1 passage in `default`" in handbook
        assert "“long”" in long
        assert empty.startswith("- empty.txt: ")
        assert gone.startswith("- gone.txt: ")
    texts = [text for (text,) in stored(tmp_path, "select text from passages")]
    assert sum("Sentence 8999 is" in text for text in texts) == 1


@pytest.mark.parametrize("who", [BOB, CARL, replace(ANN, user="zoe")])
async def test_files_of_others_are_answered_as_usual_with_a_word_about_it(
    who, disk, platform, tmp_path
):
    files, house = disk
    files.serve("/a.md", HANDBOOK[1])
    async with running(house, platform):
        await platform.inbox.accept(dropped("a.md", author=who, conversation=GROUP, private=False))
        texts = await platform.answers(2)
    assert sentences.NOT_LEARNED in texts
    assert documents(tmp_path) == []


async def test_files_with_other_words_are_only_read(disk, platform, tmp_path):
    files, house = disk
    files.serve("/a.md", HANDBOOK[1])
    async with running(house, platform):
        await asked(platform, dropped("a.md", words="learn what it says and tell me"))
    assert documents(tmp_path) == []


@pytest.mark.parametrize("words", ["learn: staff.", "Learn: Staff", "learn: STAFF!"])
async def test_a_full_stop_or_a_capital_does_not_open_a_collection(words, disk, platform, tmp_path):
    files, house = disk
    files.serve("/a.md", HANDBOOK[1])
    house = replace(house, collections={"staff": CollectionSettings(readers=("moderator",))})
    async with running(house, platform):
        said = await asked(platform, dropped("a.md", words=words))
        assert "whoever may read `staff`" in said
        said = await asked(platform, command("learn", f"--collection Staff {NORWAY}"))
        assert "whoever may read `staff`" in said
    assert {row[0] for row in documents(tmp_path)} == {"staff"}


async def test_titles_of_files_are_only_words(disk, platform):
    files, house = disk
    files.serve("/a.md", b"# [Reset](https://evil.example/) <!channel> `x`\n\nOn bicycles.")
    async with running(house, platform):
        said = [await asked(platform, dropped("a.md")), await asked(platform, command("unlearn"))]
        await asked(platform, message("is there something on bicycles?"))
        said += [await asked(platform, command("why")),
                 await asked(platform, command("unlearn", "1"))]  # fmt: skip
    assert all("Reset `https://evil.example/` !channel x" in one for one in said)
    assert not any("](" in one or "<!" in one for one in said)


async def test_a_document_that_the_operator_added_stays_theirs(web, house, platform, tmp_path):
    web.serve("/page.html", b"<html><h1>Bicycles</h1><p>On Mondays.</p></html>", "text/html")
    address = f"https://pages.example:{web.port}/page.html"
    async with running(house, platform) as engine:
        request = {
            "document": {"collection": "default", "source": address, "title": "Ours", "digest": ""},
            "chunks": [(["Ours"], "Old words.", 2)],
        }
        put = await engine.knowledge.verbs["document put"](request)
        assert "1 passage" in await asked(platform, command("learn", address))
        said = await asked(platform, command("unlearn", str(put["id"])))
    assert said == sentences.NOT_TAUGHT.format(slash="/")
    assert [row[:2] for row in documents(tmp_path)] == [("default", "Ours")]
