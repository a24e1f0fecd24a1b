"""What the quoting model says."""

from dataclasses import replace

import pytest

from bot.backends.documents import DocumentsModel
from bot.domain.dialogue import Ended, Line, Prompt
from bot.domain.errors import ConfigError
from bot.domain.knowledge import Grounds, Passage
from bot.domain.replies import Usage


@pytest.fixture(scope="module")
def boutique() -> DocumentsModel:
    return DocumentsModel.read()


NOTHING_ADDED = Grounds()


async def said(model: DocumentsModel, *questions: str, grounds: Grounds = NOTHING_ADDED) -> str:
    lines = [Line("system", "You are a pirate."), *(Line("user", text) for text in questions)]
    prompt = Prompt(lines=tuple(lines), grounds=grounds)
    *words, ended = [delta async for delta in model.stream(prompt)]
    answer = "".join(words)
    reason = "unsure" if answer.startswith("I could not find that") else "complete"
    assert ended == Ended(reason=reason, usage=Usage(model="documents"))
    return answer


async def test_an_answer_is_a_quotation_with_its_source(boutique):
    assert await said(boutique, "Are dogs allowed in the shop?") == (
        "> Dogs on a lead are welcome in the whole shop. There is a bowl of water beside the "
        "stairs, and usually a biscuit at the till.\n\n— *Your visit › Dogs* (visit.md)"
    )


HATS = Passage(
    id=1, document=1, title="Hats", path=("Hats",), source="", link="",
    text="Straw hats.", score=1.0,
)  # fmt: skip


@pytest.mark.parametrize("sure", [True, False])
async def test_documents_that_were_given_by_name_answer_what_was_not_added(tmp_path, sure):
    (tmp_path / "pets.md").write_text("# Hamsters\nThey run at night.\n")
    named = DocumentsModel.read(str(tmp_path))

    added = Grounds(passages=(HATS,), sure=sure, documents=1)
    hats = await said(named, "hats?", grounds=added)
    hamsters = await said(named, "hamsters?", grounds=Grounds(documents=1))
    neither = await said(named, "cats?", grounds=Grounds(documents=1))

    near = "I could not find that in the 2 documents I was given. The nearest I have: *Hats*."
    assert hats.startswith("> Straw hats. [1]" if sure else near)
    assert hamsters == "> They run at night.\n\n— *Hamsters* (pets.md)"
    assert neither.startswith("I could not find that in the 2 documents I was given.")


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Straw hats.\nAnd caps.", "> Straw hats.\n> And caps. [1]"),
        ("| hat |\n| --- |\n| straw |", "> | hat |\n> | --- |\n> | straw |\n\n[1]"),
        ("```\nhat()\n```", "> ```\n> hat()\n> ```\n\n[1]"),
    ],
    ids=["text", "table", "code"],
)
async def test_the_number_of_a_source_does_not_break_what_it_stands_behind(boutique, text, quoted):
    grounds = Grounds(passages=(replace(HATS, text=text),), sure=True, documents=1)

    assert await said(boutique, "hats?", grounds=grounds) == quoted


async def test_what_was_added_takes_the_place_of_the_demo(boutique):
    answer = await said(boutique, "Are dogs allowed in the shop?", grounds=Grounds(documents=2))

    assert answer.startswith("I could not find that in the 2 documents I was given.")


async def test_every_line_of_a_table_or_a_second_paragraph_is_quoted(boutique):
    answer = await said(boutique, "size chart")
    assert "> | 38 | 10 | 6 |" in answer
    assert "\n>\n> The European Union is Austria" in await said(boutique, "Do you ship to Austria?")


async def test_other_entries_that_may_answer_are_named(boutique):
    answer = await said(boutique, "Do you do alterations?")
    assert "See also: *" in answer


async def test_an_entry_of_several_passages_does_not_refer_to_itself(tmp_path):
    passage = "Hamsters run at night. " + "Nobody knows why. " * 50
    (tmp_path / "pets.md").write_text(f"# Hamsters\n{passage}\n\n{passage}\n")
    answer = await said(DocumentsModel.read(str(tmp_path)), "hamsters?")
    assert "See also" not in answer


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Who won the world cup?",
        "Write me a poem about the sea",
        "how do I fix a flat tyre?",
        "tell me a joke",
        "x" * 10_000,
    ],
)
async def test_it_says_what_it_does_not_know(boutique, question):
    answer = await said(boutique, question)
    assert answer.startswith("I could not find that in the 11 documents I was given.")
    assert "ask a person" in answer
    assert ">" not in answer


async def test_a_near_miss_names_what_there_is(boutique):
    assert "The nearest I have: *Your visit › Dogs*" in await said(
        boutique, "how do I train my dog"
    )


@pytest.mark.parametrize(
    "greeting", ["hi", "Hello!", "good morning", "", "who are you?", "help", "Hi Lisa!"]
)
async def test_a_greeting_is_answered_with_what_this_is(boutique, greeting):
    answer = await said(boutique, greeting)
    assert "No language model is connected" in answer
    assert "11 documents" in answer
    assert "`/model`" in answer


async def test_thanks_are_answered(boutique):
    assert (await said(boutique, "thank you very much!")).startswith("You are welcome.")


@pytest.mark.parametrize("question", ["Hi, where can I park?", "hi, parking?"])
async def test_a_greeting_in_front_of_a_question_is_no_greeting(boutique, question):
    assert "(visit.md)" in await said(boutique, question)


async def test_a_follow_up_is_understood(boutique):
    answer = await said(boutique, "Do you ship to Switzerland?", "and to Norway?")
    assert "International shipping" in answer


async def test_speakers_quotes_and_remarks_are_not_the_question(boutique):
    text = (
        "Zebulon Featherstone: where can I park?\n\n"
        "[In reply to this message by somebody else:]\n> giraffes and elephants"
    )
    assert "Parking" in await said(boutique, text)
    assert "Parking" in await said(boutique, "Parking: where?")


async def test_other_documents_can_be_given(tmp_path):
    (tmp_path / "pets.md").write_text("# Hamsters\nThey run at night.\n")
    answer = await said(DocumentsModel.read(str(tmp_path)), "what about hamsters?")
    assert answer == "> They run at night.\n\n— *Hamsters* (pets.md)"
    only = DocumentsModel.read(str(tmp_path / "pets.md"))
    assert "in the document I was given" in await said(only, "capital of France?")


def test_a_missing_folder_is_an_operators_problem(tmp_path):
    with pytest.raises(ConfigError, match=r"documents: .* does not exist; name a \.md file"):
        DocumentsModel.read(str(tmp_path / "nowhere"))
