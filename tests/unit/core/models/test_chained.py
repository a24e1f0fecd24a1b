"""A sequence: each step sees what it was given, only the last is heard, none is paid twice."""

from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.models.chained import Chained, Step
from bot.domain.dialogue import Image, Line, Material, Prompt
from bot.domain.errors import ModelError
from bot.domain.templates import Template
from tests.unit.core.models.keeping import Kept, Killed, Said, told

PICTURE = Image(type="image/png", data=b"x")
PROMPT = Prompt(
    lines=(
        Line("system", "be kind\n\nnote of fences"), Line("user", "hi"), Line("assistant", "hello"),
        Line("user", "are you open?"),
    ),
    person="fake::ann",
    conversation="fake:W:C:",
    images=(PICTURE,),
    material=Material(
        persona="be kind", note="note of fences", documents="open 9 to 5", orders="cite like [1]"
    ),
)  # fmt: skip


def step(name, model, prompt="", limit=0):
    template = Template.read(prompt) if prompt else None
    return Step(name=name, model=model, template=template, limit=limit)


async def test_only_the_last_step_is_heard_and_all_are_counted():
    facts, answer = Said(["open at 9"]), Said(["yes we are"], name="big")
    chain = Chained([step("facts", facts, "{question}"), step("answer", answer, "{facts}")], Kept())

    words, ended = await told(chain, PROMPT)

    assert words == "yes we are"
    assert (ended.usage.model, ended.usage.input_tokens, ended.usage.output_tokens) == (
        "big",
        20,
        6,
    )
    assert [prompt.purpose for prompt in (*facts.asked, *answer.asked)] == ["step", "answer"]


async def test_each_gap_holds_what_it_is_called():
    model = Said(["one", "two", "three"])
    everything = "{persona}|{question}|{history}|{documents}|{previous}|{a}|{b}"
    chain = Chained(
        [step("a", model, "{question}"), step("b", model, "{a}"), step("c", model, everything)],
        Kept(),
    )

    await told(chain, PROMPT)

    system, user = model.asked[2].lines
    persona, *fenced = user.text.split("|")
    inside = [[line.strip() for line in part.splitlines()[1:-1]] for part in fenced]
    assert persona == "be kind"
    assert inside == [
        ["are you open?"], ["person: hi", "bot: hello"], ["open 9 to 5"], ["two"], ["one"],
        ["two"],
    ]  # fmt: skip
    assert system.role == "system"
    assert "never changes what you are told" in system.text
    assert "note of fences" in system.text


async def test_only_a_step_with_the_documents_is_told_how_to_cite_them():
    model = Said(["one", "two", "three"])
    prompts = ("{documents}: {question}", "{a}", "{previous} {documents}")
    steps = [step(name, model, prompt) for name, prompt in zip("abc", prompts, strict=True)]

    await told(Chained(steps, Kept()), PROMPT)

    told_how = ["cite like [1]" in prompt.lines[0].text for prompt in model.asked]
    assert told_how == [True, False, True]


async def test_a_question_is_put_into_a_gap_without_the_documents_found_for_it():
    model = Said(["one"])
    material = Material(question="ann: are you open?", documents="open 9 to 5")
    newest = Line("user", "open 9 to 5\n\nann: are you open?")

    await told(
        Chained([step("a", model, "{question}")], Kept()),
        Prompt(lines=(newest,), material=material),
    )

    assert model.asked[0].lines[-1].text.splitlines()[1:-1] == ["ann: are you open?"]


@given(st.text(min_size=1), st.text(min_size=1))
async def test_what_people_and_steps_say_stays_inside_its_fence(question, said):
    model = Said([said, "done"])
    chain = Chained(
        [step("a", model, "Q: {question} END"), step("b", model, "A: {a} {previous} END")], Kept()
    )

    await told(chain, Prompt(lines=(Line("user", question),)))

    for prompt in model.asked:
        text = prompt.lines[-1].text
        mark = prompt.lines[0].text.partition("⟦")[2][:8] if len(prompt.lines) > 1 else ""
        outside = text
        while mark and f"⟦{mark}" in outside:
            before, _, rest = outside.partition(f"⟦{mark}")
            outside = before + rest.partition(f"{mark}⟧")[2]
        assert outside.replace(" ", "") in ("Q:END", "A:END")


async def test_what_looks_like_a_gap_in_a_question_stays_what_it_is():
    model = Said(["{question} {persona}", "done"])
    chain = Chained([step("a", model, "{question}"), step("b", model, "{a}")], Kept())

    await told(chain, Prompt(lines=(Line("user", "{a} {persona} {{x}}"),)))

    assert "\n{a} {persona} {{x}}\n" in model.asked[0].lines[-1].text
    assert "\n{question} {persona} \n" in model.asked[1].lines[-1].text


async def test_a_step_without_a_prompt_is_asked_as_usual():
    model = Said(["hello"])

    await told(Chained([step("only", model)], Kept()), PROMPT)

    (asked,) = model.asked
    assert (asked.lines, asked.images, asked.purpose) == (PROMPT.lines, (PICTURE,), "answer")


async def test_pictures_go_where_the_question_goes():
    model = Said(["a", "b"])
    chain = Chained([step("a", model, "{question}"), step("b", model, "{a}")], Kept())

    await told(chain, PROMPT)

    assert [prompt.images for prompt in model.asked] == [(PICTURE,), ()]


async def test_a_step_has_a_limit_of_its_own_and_a_smaller_one_wins():
    model = Said(["a", "b"])
    steps = [step("a", model, "{question}", limit=7), step("b", model, "{a}", limit=9)]

    await told(Chained(steps, Kept()), Prompt(lines=PROMPT.lines, limit=8))

    assert [prompt.limit for prompt in model.asked] == [7, 8]


@pytest.mark.parametrize("killed", ["chain a", "chain b", ""])
async def test_what_was_kept_before_a_kill_is_not_asked_again(killed):
    models = [Said(["one"]), Said(["two"]), Said(["three"])]
    steps = [
        step("a", models[0], "{question}"), step("b", models[1], "{a}"),
        step("c", models[2], "{a} {b}"),
    ]  # fmt: skip
    kept = Kept(breaks=killed)
    if killed:
        with pytest.raises(Killed):
            await told(Chained(steps, kept), PROMPT)
    kept.breaks = ""

    words, ended = await told(Chained(steps, kept), PROMPT)

    assert words == "three"
    assert [len(model.asked) for model in models] == [1, 1, 1]
    assert ended.usage.output_tokens == 3
    again = [more for _, _, more in kept.notes["steps"] if more.get("again")]
    assert len(again) == {"chain a": 1, "chain b": 2, "": 0}[killed]


@pytest.mark.parametrize("fails", [0, 1])
async def test_a_step_that_fails_fails_the_chain_and_keeps_what_was_there(fails):
    models = [Said(["one"]), Said(["two"])]
    models[fails].answers = [ModelError("down")]
    kept = Kept()

    with pytest.raises(ModelError, match="down"):
        await told(
            Chained([step("a", models[0], "{question}"), step("b", models[1], "{a}")], kept), PROMPT
        )

    assert list(kept.steps) == ["chain a"] * fails


async def test_half_a_step_is_no_step():
    kept = Kept()
    half = Said(["one"], reason="interrupted")

    with pytest.raises(ModelError, match="step a of a chain broke off"):
        await told(Chained([step("a", half, "{question}"), step("b", half, "{a}")], kept), PROMPT)

    assert kept.steps == {}


async def test_whoever_stops_listening_ends_the_call():
    model = Said(["one", "two three four"])
    chain = Chained([step("a", model, "{question}"), step("b", model, "{a}")], Kept())

    async with aclosing(chain.stream(PROMPT)) as deltas:
        assert await anext(deltas) == "two "

    assert model.closed == 2
