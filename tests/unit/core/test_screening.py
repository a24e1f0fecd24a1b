"""How an answer is cut into parts that can be judged."""

import random

import pytest

from bot.core.screening import LONGEST_WAIT, TAIL, screened
from bot.domain.errors import Declined
from bot.domain.replies import Retraction


async def pieces(text, size=3):
    for start in range(0, len(text), size):
        yield text[start : start + size]


async def screen(text, *, size=3, judge=None):
    """Return the parts as they were judged, and what was shown."""
    judged, shown = [], []

    async def allow(part, said):
        judged.append((part, said))
        return await judge(part, said) if judge else part

    try:
        async for piece in screened(pieces(text, size), allow):
            shown.append(piece)  # noqa: PERF401 - what was shown stays when it raises
    except Declined:
        shown.append("declined")
    return judged, shown


async def test_a_part_ends_with_a_sentence_or_a_line():
    judged, _ = await screen(
        "Hello there! " + "And so on, quite a while longer than that. " * 2 + "\nEnd"
    )

    assert judged[0] == ("Hello there! ", "")
    assert all(part.rstrip(" \n")[-1] in ".!" for part, _ in judged[:-1])


async def test_numbers_and_abbreviations_inside_words_end_nothing():
    judged, _ = await screen("Pi is 3.14159 and e.g.this is v1.2.3")

    assert [part for part, _ in judged] == ["Pi is 3.14159 and e.g.this is v1.2.3"]


async def test_no_part_ends_within_inline_code():
    code = "`" + "read. https://evil.test/x " * 6 + "`"
    judged, _ = await screen(f"See. {code} Well. " + "And so on. " * 20)

    assert [part.count("`") for part, _ in judged[:3]] == [0, 2, 0]


async def test_an_answer_without_an_end_still_flows():
    judged, _ = await screen("x" * 1000)

    assert max(len(part) for part, _ in judged) < LONGEST_WAIT + 3


@pytest.mark.parametrize("seed", range(20))
async def test_every_word_is_judged_once_and_with_what_came_before(seed):
    draw = random.Random(seed)
    text = "".join(draw.choice("ab .!\n") for _ in range(draw.randrange(3000)))

    judged, shown = await screen(text, size=draw.choice([1, 2, 7, 90, 5000]))

    assert "".join(part for part, _ in judged) == text == "".join(shown)
    at = 0
    for part, said in judged:
        assert said == text[max(0, at - TAIL) : at]
        at += len(part)
    assert sum(len(part) + len(said) for part, said in judged) <= 4 * len(text) + 500


async def test_a_refusal_takes_everything_back_and_ends_the_asking():
    async def refuse(part, said):
        if "bad" in said + part:
            raise Declined("no")
        return part

    judged, shown = await screen("Good one. bad " + "x. " * 500, judge=refuse)

    assert shown == ["Good one. ", Retraction(""), "declined"]
    assert len(judged) == 2


@pytest.mark.parametrize("inside", range(1, len("vile words")))
async def test_a_phrase_that_two_parts_share_is_never_shown_whole(inside):
    async def refuse(part, said):
        if "vile words" in said + part:
            raise Declined("no")
        return part

    before = "x" * (LONGEST_WAIT - inside)

    _, shown = await screen(f"{before}vile words and more", size=1, judge=refuse)

    assert shown == [before + "vile words"[:inside], Retraction(""), "declined"]


async def test_what_is_left_of_a_part_is_what_the_next_is_judged_with():
    async def hide(part, said):
        return "[…] " if "secret" in part else part

    judged, shown = await screen(
        "A secret. " + "And on it goes, for rather more than eighty characters, to the end. " * 2,
        judge=hide,
    )

    assert shown[0] == "[…] "
    assert judged[1][1] == "[…] "
