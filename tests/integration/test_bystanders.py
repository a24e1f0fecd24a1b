"""Of people who do not talk to the bot nothing is stored: the data directory is searched for it."""

import logging
from dataclasses import replace

import pytest

from bot.domain.conversation import Conversation, Person
from bot.domain.events import Rated
from bot.domain.policy import AccessPolicy
from tests.events import ANN, command, message
from tests.harness import running
from tests.integration.conftest import begun, deletion, edit, prompt, slow

GROUP = Conversation(platform="fake", workspace="W", channel="group")
EVE = Person(platform="fake", user="eve", name="BYSTANDER")


def said(text="BYSTANDER", author=EVE, **changes):
    return message(
        text,
        author=author,
        **{"conversation": GROUP, "private": False, "addressed": False, **changes},
    )


def found(folder, word=b"BYSTANDER"):
    return [path.name for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


async def test_what_is_not_addressed_to_the_bot_is_nowhere(config, platform, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, "bot")
    async with running(config, platform):
        for number in range(20):
            talk = said(f"BYSTANDER {number}")
            assert not await platform.inbox.accept(talk)
            assert not await platform.inbox.accept(edit(talk, "BYSTANDER edited"))
            rated = Rated(id=f"r{number}", at=1.0, conversation=GROUP, author=EVE,
                          message=talk.message, value=1)  # fmt: skip
            assert not await platform.inbox.accept(rated)
            assert not await platform.inbox.accept(deletion(talk))
        await platform.inbox.accept(said("hello, bot", ANN, addressed=True))
        await platform.answers(1)
        assert found(tmp_path) == []
    assert found(tmp_path) == []
    assert "BYSTANDER" not in caplog.text


@pytest.mark.parametrize(
    "event", [said("BYSTANDER", addressed=True), command("help", "BYSTANDER", author=EVE)]
)
async def test_who_may_not_use_the_bot_leaves_nothing_either(config, platform, tmp_path, event):
    config = replace(config, access=AccessPolicy(group_policy="open", block=(str(EVE),)))
    async with running(config, platform):
        assert not await platform.inbox.accept(event)
    assert found(tmp_path) == []


async def test_words_of_who_may_not_talk_are_not_stored_when_they_are_quoted(
    config, platform, model, tmp_path
):
    slow(model)
    config = replace(config, access=AccessPolicy(group_policy="open", block=(str(EVE),)))
    async with running(config, platform):
        quoting = said(
            "what does she mean?", ANN, addressed=True, quoted="BYSTANDER", quoted_by=str(EVE)
        )
        await platform.inbox.accept(quoting)
        await begun(platform)
        assert found(tmp_path) == []
    assert "BYSTANDER" not in str(prompt(model.calls[0]))
    assert "do not read the quoted message" in platform.shown[0].text


async def test_who_is_forgotten_is_forgotten_also_where_others_quote_them(
    config, platform, model, tmp_path
):
    slow(model, words=8)
    quoted = {"quoted": "BYSTANDER", "quoted_by": str(EVE), "addressed": True}
    async with running(config, platform) as engine:
        await platform.inbox.accept(said("running", ANN, **quoted))
        await begun(platform)
        await platform.inbox.accept(said("waiting", ANN, **quoted))
        await platform.inbox.accept(command("forget_me", "yes", author=EVE))
        await platform.answers(3)
        await platform.until(lambda: engine.dispatcher.crowd.count() == 0)
        await engine.keeping.forgetting.privacy.scour(patience_s=5)
        assert found(tmp_path) == []
    assert "BYSTANDER" in str(prompt(model.calls[0]))
    assert "BYSTANDER" not in str([prompt(call) for call in model.calls[1:]])
    assert [shown.finished for shown in platform.shown if not shown.finished] == []
