"""Answers that lean on documents: what a model is shown, what people see below, who may read what."""

from dataclasses import replace

import pytest

from adapters.discord.descriptor import DESCRIPTOR as DISCORD
from adapters.slack.descriptor import DESCRIPTOR as SLACK
from bot.backends.sqlite.store import at_rest
from bot.config.sections import ChatSettings, DocumentsSettings, KnowledgeSettings
from bot.core.citing import SOURCES
from bot.core.commands.sources import NONE
from bot.core.knowledge import reranking
from bot.core.knowledge.retrieving import LONGEST
from bot.domain.conversation import Conversation, Person
from bot.domain.knowledge import CollectionSettings
from bot.domain.outgoing import OutgoingPolicy
from bot.domain.permissions import Roles
from bot.domain.policy import KnowledgePolicy, MemoryPolicy
from bot.ports.library import Chunk, Document
from tests.events import ANN, command, message
from tests.fakes.embeddings import embeddings
from tests.fakes.script import Delay
from tests.harness import running
from tests.integration.conftest import lines, prompt, stored

BOB = Person(platform="fake", user="bob", name="Bob")
GROUP = Conversation(platform="fake", workspace="W", channel="group")
RETURNS = ("Returns", "You can send anything back within 30 days, unworn.")
HOURS = ("Opening hours", "We are open from Tuesday to Saturday, and on Sundays only in December.")
WAGES = ("Wages", "The SECRET hourly wage of staff is 21 euros.")


async def shelve(config, *sections, collection="shop", title="Handbook", link=""):
    """Put a document into the store, as `parley knowledge add` does; returns its id."""
    chunks = [Chunk(path=(title, heading), text=text, tokens=20) for heading, text in sections]
    async with at_rest(config.data_dir / "parley.db") as store:
        return await store.library.put(
            Document(collection=collection, source=f"/docs/{title}.md", title=title, link=link,
                     digest=f"{title}{sections}"),
            chunks,
        )  # fmt: skip


async def asked(platform, event):
    known = len(platform.texts())
    assert await platform.inbox.accept(event)
    return (await platform.answers(known + 1))[-1]


def quoting(config):
    return replace(config, models={"main": DocumentsSettings()})


async def test_a_model_is_shown_fenced_numbered_passages_and_people_where_they_stand(
    config, platform, model
):
    await shelve(config, RETURNS, HOURS)
    model.answer = "Within 30 days [1]."
    async with running(config, platform):
        answer = await asked(platform, message("how long can I send something back?"))
        assert answer == f"Within 30 days [1].\n\n{SOURCES}\n[1] Handbook › Returns (Handbook.md)"
    system, question = model.calls[0].args["messages"][0], model.calls[0].args["messages"][-1]
    assert "[1]" in system["content"]
    assert "[1] Handbook › Returns\nYou can send anything back" in question["content"]
    assert question["content"].endswith("how long can I send something back?")
    assert "⟦" in question["content"]


def remembered(folder):
    """Return the answers as the next prompt will have them."""
    return [text for role, _, text in lines(folder) if role == "assistant"]


async def test_sources_are_not_remembered_and_neither_are_their_numbers(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS)
    model.answer = "Within 30 days [1]."
    async with running(config, platform):
        await asked(platform, message("can I send it back unworn?"))
    assert remembered(tmp_path) == ["Within 30 days."]


async def test_an_answer_that_is_nothing_but_a_number_is_remembered_as_it_is(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS)
    model.answer = "[1]"
    async with running(config, platform):
        await asked(platform, message("can I send it back unworn?"))
    assert remembered(tmp_path) == ["[1]"]


async def test_what_cites_nothing_is_remembered_as_it_is(config, platform, model, tmp_path):
    model.answer = "The second is x[1]."
    async with running(config, platform):
        await asked(platform, message("which is the second of x?"))
    assert remembered(tmp_path) == [model.answer]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("See [2] and [1].", "See [1] and [2]."),
        ("Nothing [7] at all", "Nothing at all"),
        ("`list[1]` and\n```\nx[1]\n```", "`list[1]` and\n```\nx[1]\n```"),
        ("a link [1](https://example.com)", "a link [1] (`https://example.com`)"),
        ("both [1, 2].", "both [1][2]."),
    ],
)
async def test_numbers_are_counted_as_they_come_and_code_is_left_alone(
    config, platform, model, said, shown
):
    await shelve(config, RETURNS, ("Sending", "Send it back by post, unworn, with the bill."))
    model.answer, model.interval = said, 0.001
    async with running(config, platform):
        answer = await asked(platform, message("how do I send something back unworn?"))
    assert answer.split(f"\n\n{SOURCES}")[0] == shown


async def test_a_source_with_an_address_is_a_link_though_other_links_are_not(
    config, platform, model
):
    await shelve(config, RETURNS, link="https://shop.example.com/returns")
    model.answer = "Within 30 days [1]."
    async with running(config, platform):
        answer = await asked(platform, message("can I send it back unworn?"))
    assert answer.endswith("[1] [Handbook › Returns](https://shop.example.com/returns)")


async def test_without_a_key_the_best_passage_is_quoted_with_its_source(config, platform):
    await shelve(config, RETURNS, HOURS)
    async with running(quoting(config), platform):
        answer = await asked(platform, message("are you open on Sundays?"))
        assert answer.startswith("> We are open from Tuesday")
        assert answer.endswith("[1] Handbook › Opening hours (Handbook.md)")
        answer = await asked(platform, message("and in December?"))
        assert answer.startswith("> We are open from Tuesday")
        answer = await asked(platform, message("do you repair bicycles?"))
        assert "could not find that in the document" in answer
        assert "Hello!" in await asked(platform, message("hello"))


async def test_a_slip_of_the_fingers_finds_the_word_that_was_meant(config, platform):
    await shelve(config, ("Gift vouchers", "Vouchers are valid for three years."), HOURS)
    async with running(quoting(config), platform):
        answer = await asked(platform, message("are vuochers still valid?"))
        assert answer.startswith("> Vouchers are valid")


async def test_what_only_staff_may_read_is_told_to_staff_in_private_alone(config, platform):
    await shelve(config, WAGES, collection="staff", title="House")
    config = replace(
        quoting(config),
        collections={"staff": CollectionSettings(readers=("moderator",))},
        roles=Roles(moderator=(str(BOB),)),
    )
    question = "what is the hourly wage of staff?"
    async with running(config, platform):
        theirs = Conversation(platform="fake", workspace="W", channel="bob")
        assert "SECRET" in await asked(platform, message(question, author=BOB, conversation=theirs))
        assert "SECRET" not in await asked(platform, message(question, author=ANN))
        in_group = {"conversation": GROUP, "private": False}
        assert "SECRET" not in await asked(platform, message(question, author=BOB, **in_group))
        assert "SECRET" not in await asked(platform, message(question, author=ANN, **in_group))
        sources = command("sources", author=ANN, conversation=theirs)
        assert await asked(platform, sources) == NONE


async def test_a_channel_may_be_narrowed_to_some_collections(config, platform):
    await shelve(config, RETURNS)
    await shelve(config, ("Returns", "Tell customers NOTHING of this."), collection="b", title="B")
    config = replace(quoting(config), knowledge=KnowledgePolicy(collections=("shop",)))
    async with running(config, platform):
        assert "NOTHING" not in await asked(platform, message("what about returns of customers?"))


async def test_sources_shows_the_passage_and_says_so_when_there_is_none(config, platform, model):
    await shelve(config, RETURNS, HOURS)
    async with running(config, platform):
        assert await asked(platform, command("sources")) == NONE
        await asked(platform, message("can I send it back unworn?"))
        shown = await asked(platform, command("sources"))
        assert shown.startswith("1. Handbook › Returns (Handbook.md)\n> You can send anything back")
        assert (await asked(platform, command("sources", "1"))).endswith("within 30 days, unworn.")
        assert "no source `9`" in await asked(platform, command("sources", "9"))


async def test_passages_take_at_most_half_of_what_the_question_leaves(config, platform, model):
    words = " ".join(f"return{n}" for n in range(120))
    await shelve(config, *((f"Returns {n}", words) for n in range(6)))
    config = replace(config, memory=MemoryPolicy(max_tokens=900))
    async with running(config, platform):
        await asked(platform, message("how do returns work, return1 or return2?"))
    shown = prompt(model.calls[0])[-1][1]
    assert len(shown) < 900 * 4
    assert shown.count("⟧") >= 1


async def test_documents_that_do_not_fit_the_question_are_not_shown(config, platform, model):
    await shelve(config, RETURNS, HOURS)
    async with running(config, platform):
        answer = await asked(platform, message("who won the football game yesterday?"))
    assert SOURCES not in answer
    assert "⟦" not in prompt(model.calls[0])[-1][1]


async def test_why_names_the_passages_and_their_scores(config, platform, model):
    await shelve(config, RETURNS)
    config = replace(config, roles=Roles(moderator=(str(ANN),)))
    async with running(config, platform):
        await asked(platform, message("can I send it back unworn?"))
        why = await asked(platform, command("why"))
    assert "Handbook › Returns" in why
    assert "words" in why


async def test_a_resumed_turn_shows_what_was_found_but_not_what_is_forbidden_by_now(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS)
    staff = replace(config, collections={"shop": CollectionSettings(readers=("admin",))})
    model.down = True
    async with running(config, platform):
        await asked(platform, message("can I send it back unworn?"))
    model.down = False
    async with running(staff, platform):
        await asked(platform, command("retry"))
        await platform.until(lambda: len(model.calls) > 1)
    assert "send anything back" not in prompt(model.calls[-1])[-1][1]


def embedded(folder):
    return len(stored(folder, "select 1 from passage_vectors"))


async def test_questions_are_found_by_their_meaning_once_passages_have_vectors(
    config, platform, tmp_path
):
    await shelve(config, RETURNS, HOURS, ("Parking", "Leave your car in the yard behind us."))
    config = replace(
        quoting(config),
        library=KnowledgeSettings(embedder="local"),
        knowledge=KnowledgePolicy(min_score=0.3),
    )
    async with running(config, platform):
        await platform.until(lambda: embedded(tmp_path) == 3, timeout=30)
        answer = await asked(platform, message("where can I put my vehicle?"))
        assert answer.startswith("> Leave your car")
        answer = await asked(platform, message("habt ihr am Sonntag auf?"))
        assert "could not find" in answer


async def test_a_few_words_that_leave_meaning_in_doubt_find_the_section_that_has_them(
    config, platform, tmp_path
):
    ways = ("Ways to pay", "We take cards, cash and Klarna; no cheques and no foreign money.")
    await shelve(config, RETURNS, HOURS, ways)
    config = replace(
        quoting(config),
        library=KnowledgeSettings(embedder="local"),
        knowledge=KnowledgePolicy(min_score=0.95),  # meaning alone is never so sure
    )
    async with running(config, platform):
        await platform.until(lambda: embedded(tmp_path) == 3, timeout=30)
        assert (await asked(platform, message("klarna?"))).startswith("> We take cards")
        assert "could not find" in await asked(platform, message("bitcoin?"))


async def test_a_passage_that_is_near_but_speaks_of_something_else_is_offered_only(
    config, platform, tmp_path
):
    guarantee = ("Batteries", "The batteries of our lamps last two years and can be replaced.")
    await shelve(config, RETURNS, HOURS, guarantee)
    config = replace(quoting(config), library=KnowledgeSettings(embedder="local"))
    async with running(config, platform):
        await platform.until(lambda: embedded(tmp_path) == 3, timeout=30)
        answer = await asked(platform, message("how long do the batteries of your lamps last?"))
        assert answer.startswith("> The batteries of our lamps")
        answer = await asked(
            platform, message("are the batteries of your lamps allowed in an airplane's hold?")
        )
        assert "could not find" in answer
        assert "Batteries" in answer


def vectored(config, **changes):
    """Let the fake server make vectors, and the documents model answer."""
    models = {"main": DocumentsSettings(), "vectors": config.models["main"]}
    settings = {
        "chat": ChatSettings(model="main"),
        "library": KnowledgeSettings(embedder="vectors"),
    }
    return replace(config, models=models, **settings, **changes)


async def test_new_passages_are_embedded_while_the_bot_runs_and_none_twice(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS)
    config = vectored(config)
    async with running(config, platform) as engine:
        await platform.until(lambda: embedded(tmp_path) == 1)
        request = {
            "document": {"collection": "shop", "source": "/b.md", "title": "B", "digest": "2"},
            "chunks": [(["B", "Hours"], HOURS[1], 20)],
        }
        await engine.knowledge.verbs["document put"](request)
        await platform.until(lambda: embedded(tmp_path) == 2)
        listed = await engine.knowledge.verbs["documents"]({})
        assert (listed["embedded"], listed["passages"]) == (2, 2)
    async with running(config, platform):
        assert "Tuesday" in await asked(platform, message("open on Sundays in December?"))
    inputs = [text for call in model.calls for text in call.args.get("input", ())]
    assert sum(RETURNS[1] in text for text in inputs) == 1
    assert sum("open on Sundays" in text for text in inputs) == 1


async def test_of_a_pasted_page_only_the_beginning_is_searched_for(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS)
    async with running(vectored(config), platform):
        await platform.until(lambda: embedded(tmp_path) == 1)
        await asked(platform, message("open on Sundays? " * 200))
    inputs = [text for call in model.calls for text in call.args.get("input", ())]
    assert [len(text) for text in inputs if "Sundays" in text] == [LONGEST]


async def test_while_the_embedder_is_down_words_alone_answer(config, platform, model, tmp_path):
    await shelve(config, RETURNS)
    config = vectored(config)
    async with running(config, platform):
        await platform.until(lambda: embedded(tmp_path) == 1)
        model.vectors = lambda body: {"data": "nonsense"}
        answer = await asked(platform, message("can I send it back unworn?"))
        assert answer.startswith("> You can send anything back")


async def test_a_server_that_makes_other_vectors_under_the_same_name_stops_no_answer(
    config, platform, model, tmp_path
):
    await shelve(config, RETURNS)
    config = vectored(config)
    async with running(config, platform):
        await platform.until(lambda: embedded(tmp_path) == 1)
    model.vectors = lambda body: embeddings({**body, "dimensions": 128})
    async with running(config, platform) as engine:
        answer = await asked(platform, message("can I send it back unworn?"))
        assert answer.startswith("> You can send anything back")
        for count, title in ((2, "Vouchers"), (3, "Skates")):
            request = {
                "document": {"collection": "shop", "source": title, "title": title, "digest": "2"},
                "chunks": [([title], f"{title} are valid for three years.", 20)],
            }
            await engine.knowledge.verbs["document put"](request)
            await platform.until(lambda count=count: embedded(tmp_path) == count)
        answer = await asked(platform, message("how long are vouchers valid?"))
        assert answer.startswith("> Vouchers are valid")


async def test_why_names_only_what_its_reader_may_read(config, platform):
    await shelve(config, WAGES, collection="staff", title="House")
    place = "fake:W:group"
    config = replace(
        quoting(config),
        collections={"staff": CollectionSettings(readers=(str(ANN),), places=(place,))},
        roles=Roles(moderator=(str(BOB),)),
    )
    in_group = {"conversation": GROUP, "private": False}
    async with running(config, platform):
        question = message("what is the hourly wage of staff?", author=ANN, **in_group)
        assert "SECRET" in await asked(platform, question)
        why = await asked(platform, command("why", author=BOB, **in_group))
        assert "may not read here" in why
        assert "- Searched: by words\n" in why  # and not in how many collections she may read
        assert "Wages" not in why


async def test_sources_have_the_numbers_that_the_answer_shows(config, platform, model):
    await shelve(config, RETURNS, ("Sending", "Send it back by post, unworn, with the bill."))
    model.answer = "By post [2]."
    async with running(config, platform):
        answer = await asked(platform, message("how do I send something back unworn?"))
        shown = await asked(platform, command("sources"))
        assert answer.rpartition("[1] ")[2] == shown.partition("1. ")[2].partition("\n")[0]
        assert "2. " not in shown
        model.answer = "I cannot say."
        await asked(platform, message("how do I send it back unworn, please?"))
        assert "cites no document" in await asked(platform, command("sources"))


@pytest.mark.parametrize(("like", "found"), [(SLACK, True), (DISCORD, False)])
async def test_sources_in_a_channel_tell_of_its_threads_only_where_commands_cannot_name_one(
    like, found, config, platform
):
    await shelve(config, RETURNS)
    in_group = {"author": BOB, "private": False}
    thread = replace(GROUP, thread="t1")
    async with running(quoting(config), platform, descriptors={"fake": like}):
        question = message("can I send it back?", conversation=thread, private=False)
        assert "30 days" in await asked(platform, question)
        shown = await asked(platform, command("sources", conversation=GROUP, **in_group))
        assert ("30 days" in shown) == found
        shown = await asked(platform, command("sources", conversation=thread, **in_group))
        assert "30 days" in shown


@pytest.mark.parametrize("hosts", [(), ("evil.example",)])
async def test_a_command_shows_of_a_passage_what_an_answer_shows_of_it(config, platform, hosts):
    words = (
        "We take it back ![x](https://evil.example/x.png?d=1), see [the rules]"
        "(https://evil.example/r), www.evil.example/w, <@U1> and key sk-proj-abcdefghijklmnop1234."
    )
    await shelve(config, ("Returns", words))
    config = replace(quoting(config), outgoing=OutgoingPolicy(hosts=hosts))
    async with running(config, platform):
        answer = await asked(platform, message("do you take it back?"))
        shown = [await asked(platform, command("sources", which)) for which in ("", "1")]
    quoted = answer.partition(" [1]\n")[0]
    assert [one.partition("\n")[2] for one in shown] == [quoted, quoted]
    assert ("](" in quoted) == bool(hosts)
    assert "sk-proj" not in quoted


async def test_a_passage_that_is_cut_short_in_code_shows_no_link(config, platform):
    words = f"{'We take it back. ' * 9}`see https://evil.example/a {'so ' * 40}`"
    await shelve(config, ("Returns", words))
    async with running(quoting(config), platform):
        await asked(platform, message("do you take it back?"))
        shown = await asked(platform, command("sources"))
    assert "see `https://evil.example/a` so" in shown
    assert shown.endswith("so …")


async def test_sources_keep_their_numbers_for_who_may_read_only_some_of_them(
    config, platform, model
):
    await shelve(config, WAGES, collection="staff", title="House")
    await shelve(config, ("Wages", "The hourly wage of helpers is 15 euros."))
    staff = CollectionSettings(readers=(str(ANN),), places=("fake:W:group",))
    in_group = {"conversation": GROUP, "private": False}
    model.answer = lambda body: (
        "See [1] and [2]." if "[1] House" in str(body["messages"]) else "See [2] and [1]."
    )
    async with running(replace(config, collections={"staff": staff}), platform):
        answer = await asked(platform, message("what is the hourly wage?", author=ANN, **in_group))
        assert "[1] House" in answer
        assert "[2] Handbook" in answer
        shown = await asked(platform, command("sources", author=BOB, **in_group))
        assert shown.startswith("2. Handbook")
        assert "SECRET" not in shown
        bob = {"author": BOB, **in_group}
        assert "no source `1`" in await asked(platform, command("sources", "1", **bob))
        assert "15 euros" in await asked(platform, command("sources", "2", **bob))


async def test_a_part_number_is_found_among_many_that_are_nearer_by_meaning(
    config, platform, model, tmp_path
):
    await shelve(config, *((f"Chair {n}", f"A chair for the office, model {n}.") for n in range(70)),
                 ("Spare part", "QX7391Z fits older frames."))  # fmt: skip
    async with running(vectored(config), platform):
        await platform.until(lambda: embedded(tmp_path) == 71)
        assert "QX7391Z fits" in await asked(platform, message("chair office model QX7391Z"))


async def test_a_new_passage_is_found_by_its_words_before_it_has_vectors(
    config, platform, model, tmp_path
):
    await shelve(config, HOURS)
    async with running(vectored(config), platform) as engine:
        await platform.until(lambda: embedded(tmp_path) == 1)
        made, model.vectors = model.vectors, lambda body: {"data": "nonsense"}
        request = {
            "document": {"collection": "shop", "source": "/b.md", "title": "B", "digest": "2"},
            "chunks": [(["B", "Vouchers"], "Vouchers are valid for three years.", 20)],
        }
        await engine.knowledge.verbs["document put"](request)
        await platform.until(lambda: any("Vouchers" in str(c.args) for c in model.calls))
        model.vectors = made
        assert "three years" in await asked(platform, message("are vouchers valid for long?"))
    assert embedded(tmp_path) == 1


async def test_a_question_leans_only_on_one_of_the_last_hour(config, platform):
    await shelve(config, HOURS, ("Parking on holidays", "The yard is closed on holidays."))
    first = message("are you open on Sundays?")
    async with running(quoting(config), platform):
        await asked(platform, first)
        later = message("and in Easter week?", at=first.at + 7200)
        assert "could not find" in await asked(platform, later)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("2", "> You can send"),
        ("0", "I could not find that"),
        ("I would say 2", "> Send it back by post"),  # no numbers alone: it counts for nothing
    ],
)
async def test_a_model_may_choose_among_what_was_found(config, platform, model, word, answer):
    await shelve(config, RETURNS, ("Sending", "Send it back by post, unworn, with the bill."))
    model.answer = word
    models = {"main": DocumentsSettings(), "judge": config.models["main"]}
    config = replace(config, models=models, chat=ChatSettings(model="main"),
                     library=KnowledgeSettings(rerank="judge"))  # fmt: skip
    async with running(config, platform):
        assert (await asked(platform, message("can I send something back unworn?"))).startswith(
            answer
        )
    assert len(model.calls) == 1
    paid = stored(config.data_dir, "select purpose, person <> '' from ledger where output > 0")
    assert paid == [("judge", 1)]


async def test_without_the_model_that_chooses_passages_stay_as_they_were(config, platform, model):
    await shelve(config, RETURNS, ("Sending", "Send it back by post, unworn, with the bill."))
    model.down = True
    models = {"main": DocumentsSettings(), "judge": config.models["main"]}
    config = replace(config, models=models, chat=ChatSettings(model="main"),
                     library=KnowledgeSettings(rerank="judge"))  # fmt: skip
    async with running(config, platform):
        answer = await asked(platform, message("can I send something back unworn?"))
    assert answer.startswith("> Send it back")


async def test_when_the_model_that_chooses_is_too_slow_operators_are_told_why(
    config, platform, model, caplog, monkeypatch
):
    monkeypatch.setattr(reranking, "SECONDS", 0.1)
    await shelve(config, RETURNS, ("Sending", "Send it back by post, unworn, with the bill."))
    model.script.on("chat.completions", Delay(60))
    models = {"main": DocumentsSettings(), "judge": config.models["main"]}
    config = replace(config, models=models, chat=ChatSettings(model="main"),
                     library=KnowledgeSettings(rerank="judge"))  # fmt: skip
    async with running(config, platform):
        answer = await asked(platform, message("can I send something back unworn?"))
    assert answer.startswith("> Send it back")
    assert "passages stay as they were found: too slow" in caplog.text
