"""What steering from a chat must never do: break the bot, mislead who steers, or give rights away."""

from dataclasses import replace

import pytest

from adapters.console.settings import ConsoleSettings
from bot.core.announcing import Announcing
from bot.core.buttons import Buttons
from bot.core.commands.desk import Request
from bot.core.commands.house import HouseOrders
from bot.domain.errors import Declined, StoreBusy
from bot.domain.permissions import Roles
from bot.domain.policy import AccessPolicy
from tests.events import ANN, message
from tests.harness import running
from tests.integration.test_permissions import BOB, EVE, GROUP, direct, order, said, steered, told

OPEN = AccessPolicy(dm_policy="open", group_policy="open")
HERE = {"conversation": GROUP, "private": False}


# ---- reload


async def test_a_model_that_is_new_in_the_file_waits_for_a_restart(config, platform, model):
    config = steered(config, OPEN, admin=ANN)
    (name,) = config.models
    models = {name: config.models[name], "new": config.models[name]}
    new = replace(config, models=models, chat=replace(config.chat, model="new"))
    async with running(config, platform, reread=lambda: new):
        for _ in range(2):  # it goes on to need one
            assert await told(platform, order("reload")) == "Needs a restart: models, chat."
        await told(platform, direct("still there?", BOB))
        assert any("messages" in call.args for call in model.calls)


async def test_what_was_not_opened_at_the_start_needs_a_restart(config, platform):
    config = replace(steered(config, OPEN, admin=ANN), adapters={"fake": ConsoleSettings()})
    new = replace(
        config,
        moderation=replace(config.moderation, provider="local"),
        moderating=replace(config.moderating, strikes=9),
        roles=replace(config.roles, member=("fake:W:@7",)),
    )
    async with running(config, platform, reread=lambda: new):
        answer = await told(platform, order("reload"))
    assert answer == (
        "Now in force: roles, moderation. Needs a restart: "
        "moderation (servers, channel, strikes), the guard local, roles of fake."
    )


# ---- pause


async def test_a_pause_is_in_the_audit_log_and_so_is_its_end(config, platform):
    async with running(steered(config, OPEN, admin=ANN), platform):
        for words in ("pause", "resume all", "memory", "roles"):
            await told(platform, order(words))
        shown = await told(platform, order("audit"))
    assert [line.split("` ")[1] for line in shown.splitlines()] == [
        "admin.resume: all", "admin.pause",
    ]  # fmt: skip


async def test_who_ends_one_of_two_pauses_hears_of_the_other(config, platform):
    async with running(steered(config, OPEN, admin=ANN), platform):
        await told(platform, order("pause", **HERE))
        paused = await told(platform, order("pause all", **HERE))
        assert paused.endswith("admin resume all` ends it.")
        answer = await told(platform, order("resume", **HERE))
        assert answer.startswith("I am still paused everywhere;")
        assert not await platform.inbox.accept(said("and now?"))
        await told(platform, order("pause", **HERE))
        answer = await told(platform, order("resume all", **HERE))
        assert answer.startswith("I am still paused here;")
        assert await told(platform, order("resume", **HERE)) == "I answer everybody again."
        assert await platform.inbox.accept(said("at last"))


# ---- rights


async def test_a_moderator_opens_no_other_place_by_calling_it_a_person(config, platform):
    elsewhere = replace(GROUP, channel="G2")
    config = steered(config, AccessPolicy(), moderator=ANN, admin=BOB)
    async with running(config, platform):
        asked = {"conversation": elsewhere, "private": False}
        assert "The person" in await told(platform, order("allow fake:W:G2"))
        assert "only admins" in await told(platform, order("allow in fake:W:G2"))
        assert "`in` and a place" in await told(platform, order("allow fake:W"))
        assert not await platform.inbox.accept(message("hello?", author=EVE, **asked))

        assert "Everybody in" in await told(platform, order("allow in fake:W:G2", BOB))
        assert await platform.inbox.accept(message("hello", author=EVE, **asked))
        await platform.until(lambda: any("hello" in text for text in platform.texts()))
        assert "no longer" in await told(platform, order("roles in fake:W:G2 none", BOB))
        assert not await platform.inbox.accept(message("still?", author=EVE, **asked))


async def test_nobody_blocks_a_place_by_calling_it_a_person(config, platform):
    async with running(steered(config, OPEN, moderator=ANN, owner=BOB), platform):
        await told(platform, order("block fake:W:G"))
        assert await platform.inbox.accept(said("hello"))


async def test_who_may_more_is_not_made_a_member(config, platform):
    async with running(steered(config, AccessPolicy(), owner=ANN), platform):
        await told(platform, order(f"roles {BOB} moderator"))
        assert "more rights" in await told(platform, order(f"allow {BOB}"))
        assert "only admins" in await told(platform, order("pause all", BOB))


async def test_who_is_an_admin_in_one_place_makes_nobody_one_everywhere(config, platform):
    roles = Roles(admin=("fake:W:@7",))
    here = replace(BOB, roles=("7",))
    async with running(replace(config, access=AccessPolicy(), roles=roles), platform):
        for role in ("moderator", "admin"):
            answer = await told(platform, order(f"roles {EVE} {role}", here))
            assert answer.startswith("You cannot give more rights than you have")
        assert (
            await told(platform, order(f"roles {EVE} member", here)) == f"`{EVE}` is now: member."
        )


async def test_another_bot_gives_no_orders_whatever_role_it_has(config, platform):
    access = replace(OPEN, allow_bots=True)
    robot = replace(BOB, bot=True)
    async with running(steered(config, access, admin=robot), platform):
        assert "Only moderators" in await told(platform, order(f"roles {EVE} admin", robot))
        assert await told(platform, said("hello", robot))


async def test_two_bots_do_not_talk_for_ever_in_private(config, platform):
    robot = replace(BOB, bot=True)
    async with running(replace(config, access=replace(OPEN, allow_bots=True)), platform):
        taken = [await platform.inbox.accept(direct(f"beep {n}", robot)) for n in range(30)]
        assert sum(taken) == 10


async def test_nobody_opens_a_direct_message_to_everybody(config, platform):
    async with running(steered(config, OPEN, moderator=ANN), platform):
        assert (await told(platform, order("allow here"))).startswith("We are alone here")


# ---- the audit log


async def test_the_audit_log_is_searched_for_a_person_as_they_are_mentioned(config, platform):
    async with running(steered(config, OPEN, admin=ANN), platform):
        await told(platform, order("block 12345"))
        await told(platform, order("allow fake::zoe"))
        shown = await told(platform, order("audit <@12345>"))
        assert "admin.block `fake::12345`" in shown
        assert "zoe" not in shown
        nothing = await told(platform, order("audit fake::nobody"))
    assert nothing == "Nothing was decided about `fake::nobody` yet."


# ---- broadcast


class Forgetful:
    """An intake that fails once, and takes each event once."""

    def __init__(self):
        self.taken, self.failures = [], 1

    async def ingest(self, event, **_):
        if len(self.taken) == 1 and self.failures:
            self.failures -= 1
            raise StoreBusy("full")
        if event.id not in self.taken:
            self.taken.append(event.id)


async def test_a_broadcast_that_a_full_store_interrupts_goes_on_to_every_place():
    intake = Forgetful()
    announcing = Announcing(intake=intake)
    announcing.control = lambda turn: None
    house = HouseOrders(
        audit=None, settings=Active(), announcing=announcing, now=lambda: 1.0, reload=None,
        buttons=Buttons(key=b"k", now=lambda: 1.0),
    )  # fmt: skip

    def request(event, argument):
        return Request(event=event, turn=None, role="admin", house=True, argument=argument)

    given = order("broadcast Closed")
    (button,) = (await house.broadcast(request(given, "Closed"))).buttons
    pressed = request(given, button.value.split(".")[0])
    with pytest.raises(StoreBusy):
        await house.send(pressed)
    assert await house.send(pressed) == "It is being said in 3 places."
    assert [id.split(":")[-2] for id in intake.taken] == ["A", "B", "C"]
    with pytest.raises(Declined, match="sent already"):
        await house.send(pressed)


class Active:
    """Places where the bot has answered."""

    async def active(self, *, since):
        return ["fake:W:A:", "fake:W:B:", "fake:W:C:"]


async def test_a_model_that_was_chosen_is_taken_back(config, platform):
    (name,) = config.models
    models = {name: config.models[name], "other": config.models[name]}
    config = replace(config, models=models, chat=replace(config.chat, model=name))
    async with running(steered(config, OPEN, admin=ANN), platform) as engine:
        assert "here is other." in await told(platform, order("model other", **HERE))
        assert f"here is {name}." in await told(platform, order("model default", **HERE))
        assert engine.inbox.policies.resolve(GROUP).model == name


async def test_an_admin_of_one_place_gives_no_orders_about_the_whole_bot(config, platform):
    config = replace(config, roles=Roles(admin=("fake:W:@admin",)))
    local = replace(ANN, roles=("admin",))
    async with running(config, platform):
        for words in (
            "pause all",
            "reload",
            "broadcast Hello",
            "limits total messages 1 day",
            "allow in fake:X",
        ):
            assert "only admins who are so by name" in await told(
                platform, order(words, local, **HERE)
            )
        assert "Paused here" in await told(platform, order("pause", local, **HERE))
