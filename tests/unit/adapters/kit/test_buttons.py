"""Buttons stand below the last message of an answer, once it is final, and cost nothing else."""

import pytest

from bot.domain.replies import Button, Finished
from tests.unit.adapters.kit.stage import (
    EDITED,
    MANNER,
    SILENT,
    Journal,
    Killed,
    Platform,
    Reply,
    give,
    play,
)

ASK = (Button(label="Talk to a person", action="ask", value="7"),)
OTHER = (Button(label="Good", action="rate", value="1"),)
LONG = "word " * 50  # three messages of 100 characters


def ended(*steps, buttons=ASK):
    return Reply(*steps, Finished(buttons=buttons))


def delivered(reply, manner=MANNER, outbox=None, platform=None):
    """Deliver a reply on its platform; both are returned."""
    outbox = outbox or Journal()
    platform = platform or Platform(outbox)
    platform.outbox = outbox
    play(give(reply, platform, outbox, manner))
    return platform, outbox


@pytest.mark.parametrize("manner", [MANNER, EDITED], ids=["posted", "edited"])
@pytest.mark.parametrize("pause", [0.0, 2.0])
def test_only_the_last_message_has_them(manner, pause):
    platform, _ = delivered(ended(LONG, pause), manner)
    assert len(platform.screen) == 3
    assert list(platform.buttons.values()) == [(), (), ASK]


def test_an_answer_that_is_posted_at_once_needs_no_second_call():
    platform, _ = delivered(ended("hello"))
    assert [(call.verb, call.buttons) for call in platform.calls] == [("post", ASK)]


def test_a_text_that_is_there_gets_its_buttons_by_one_edit_and_without_them_needs_none():
    with_them, _ = delivered(ended("hello", 3.0))
    without, _ = delivered(ended("hello", 3.0, buttons=()))
    assert [call.buttons for call in with_them.verbs("post", "edit")] == [(), ASK]
    assert [call.verb for call in without.verbs("post", "edit")] == ["post"]


def test_a_text_that_looks_like_the_placeholder_gets_them_too():
    platform, _ = delivered(ended("…"), EDITED)
    assert list(platform.buttons.values()) == [ASK]


def test_a_process_that_is_killed_before_the_last_edit_is_followed_by_one_that_shows_them():
    outbox = Journal()
    platform = Platform(outbox)
    platform.faults["edit"].append(Killed())
    with pytest.raises(Killed):
        delivered(ended("hello", 3.0), outbox=outbox, platform=platform)
    assert list(platform.buttons.values()) == [()]
    delivered(ended("hello"), outbox=outbox.survivor(), platform=platform)
    assert list(platform.buttons.values()) == [ASK]


def test_a_shorter_answer_in_the_place_of_a_longer_one_has_them_below_its_own_end():
    platform, outbox = delivered(ended(LONG))
    delivered(ended("short", buttons=OTHER), outbox=outbox.survivor(), platform=platform)
    assert (platform.screen, [platform.buttons[id] for id in platform.messages]) == (
        ["short"],
        [OTHER],
    )


def test_a_longer_answer_in_the_place_of_a_shorter_one_leaves_none_above():
    platform, outbox = delivered(ended("short"))
    delivered(ended(LONG, 2.0, buttons=OTHER), outbox=outbox.survivor(), platform=platform)
    assert [platform.buttons[id] for id in platform.messages] == [(), (), OTHER]


def test_an_edit_of_unknown_fate_is_repeated_with_its_buttons():
    platform = Platform()
    platform.faults["edit"].append(SILENT)
    delivered(ended("hello", 3.0), platform=platform)
    assert [call.buttons for call in platform.verbs("edit")] == [ASK, ASK]
    assert list(platform.buttons.values()) == [ASK]
