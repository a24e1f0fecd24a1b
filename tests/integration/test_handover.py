"""A way to a person: asked for in one place, answered in another, silent in between."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.handover import ASK, DONE
from bot.domain.conversation import Conversation, Person
from bot.domain.events import Pressed
from bot.domain.handovers import HandoverSettings
from bot.domain.hours import Spell, opening, told
from bot.domain.permissions import Roles
from tests.events import ANN, command, message
from tests.harness import running
from tests.integration.conftest import lines, stored

STAFF = Conversation(platform="fake", workspace="W", channel="STAFF")
CUSTOMER = Conversation(platform="fake", workspace="W", channel="DM")
BOB = Person(platform="fake", user="bob", name="Bob")


@pytest.fixture
def config(config):
    return replace(config, handover=HandoverSettings(channel="fake:W:STAFF"))


def asks(text, **changes):
    return message(text, author=ANN, conversation=CUSTOMER, **changes)


def wants(words="", **changes):
    return command("handover", words, conversation=CUSTOMER, **changes)


def staff(text, to, **changes):
    return message(
        text, author=BOB, conversation=STAFF, private=False, addressed=False, answers=to, **changes
    )


def pressed(button, person, place):
    return Pressed(
        id=f"fake:press:{button.value}:{person.user}", at=1.0, conversation=place, author=person,
        action=button.action, value=button.value,
    )  # fmt: skip


def posts(platform, place):
    """Return what is shown in a place, as (id, text)."""
    return [
        (str(number), shown.text)
        for number, shown in enumerate(platform.shown, 1)
        if shown.finished and shown.to.conversation == place
    ]


async def post(platform, place, words):
    """Wait for a message that begins with these words; return its id."""
    found = []

    def there():
        found[:] = [id for id, text in posts(platform, place) if text.startswith(words)]
        return bool(found)

    await platform.until(there)
    return found[-1]


async def test_a_customer_talks_to_the_staff_and_back_and_the_bot_stays_out(
    config, platform, model, tmp_path
):
    async with running(config, platform):
        await platform.inbox.accept(asks("Where is my parcel?"))
        await platform.answers(1)
        await platform.inbox.accept(wants())
        request = await post(platform, STAFF, "🙋 **Ann**")
        shown = dict(posts(platform, STAFF))[request]
        assert "> Where is my parcel?" in shown
        assert "customer: Where is my parcel?" in shown
        await post(platform, CUSTOMER, "I have asked a person")

        assert await platform.inbox.accept(staff("It left today.", request))
        await post(platform, CUSTOMER, "👤 **Bob**: It left today.")
        await platform.inbox.accept(asks("Thanks! And the second one?"))
        relay = await post(platform, STAFF, "**Ann**:\n> Thanks!")
        await platform.inbox.accept(staff("Tomorrow.", relay))
        await post(platform, CUSTOMER, "👤 **Bob**: Tomorrow.")
        assert len(model.calls) == 1

        (button,) = platform.shown[int(request) - 1].finished.buttons
        await platform.inbox.accept(pressed(button, BOB, STAFF))
        await post(platform, CUSTOMER, "I answer here again.")
        await platform.inbox.accept(asks("So what was said?"))
        await platform.until(lambda: len(model.calls) == 2)
        await platform.inbox.accept(staff("Too late.", relay))
        await post(platform, STAFF, "I have not passed this on")
    said = str(model.calls[1].args["messages"])
    assert "It left today." in said
    assert "And the second one?" in said
    assert [role for role, *_ in lines(tmp_path)][:4] == ["user", "assistant", "assistant", "user"]


@pytest.mark.parametrize("scope", ["channel", "person"])
async def test_what_the_staff_says_in_a_private_thread_is_remembered_there_alone(
    config, platform, model, scope
):
    config = replace(config, memory=replace(config.memory, scope=scope))
    thread = {"conversation": replace(CUSTOMER, thread="T"), "author": ANN, "private": False}
    async with running(config, platform):
        await platform.inbox.accept(command("handover", "help me", closed=True, **thread))
        request = await post(platform, STAFF, "🙋")
    async with running(config, platform):  # what is open is read again
        await platform.inbox.accept(staff("It left today.", request))
        await post(platform, thread["conversation"], "👤 **Bob**: It left today.")
        (button,) = platform.shown[int(request) - 1].finished.buttons
        await platform.inbox.accept(pressed(button, BOB, STAFF))
        await post(platform, thread["conversation"], "I answer here again.")
        for number, place in enumerate((thread, {**thread, "conversation": CUSTOMER}), 1):
            inside = place is thread
            await platform.inbox.accept(message("What was said?", closed=inside, **place))
            await platform.until(lambda number=number: len(model.calls) == number)
            assert ("It left today." in str(model.calls[-1].args["messages"])) == inside


async def test_other_words_in_the_staffs_place_are_nobodys_business(
    config, platform, model, tmp_path
):
    config = replace(config, access=replace(config.access, group_policy="allowlist"))
    async with running(config, platform):
        await platform.inbox.accept(wants("hello?"))
        await post(platform, STAFF, "🙋")
        assert not await platform.inbox.accept(staff("canary-among-colleagues", ""))
        assert not await platform.inbox.accept(staff("canary-among-colleagues", "999"))
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"canary-among-colleagues" not in kept


async def test_a_handover_survives_a_restart_and_a_kill_in_the_middle_says_things_once(
    config, platform, model
):
    async with running(config, platform):
        await platform.inbox.accept(wants("help me"))
        request = await post(platform, STAFF, "🙋")
    async with running(config, platform):
        answer = staff("I am here.", request)
        await platform.inbox.accept(answer)
        await platform.inbox.accept(answer)
        await post(platform, CUSTOMER, "👤 **Bob**: I am here.")
        await platform.inbox.accept(asks("great"))
        await post(platform, STAFF, "**Ann**:\n> great")
    assert [text for _, text in posts(platform, CUSTOMER)].count("👤 **Bob**: I am here.") == 1
    assert model.calls == []


async def test_the_staff_is_asked_once_and_not_without_end(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(wants("first"))
        await post(platform, CUSTOMER, "I have asked a person")
        await platform.inbox.accept(wants("second"))
        await post(platform, CUSTOMER, "A person has been asked already")
        for number in range(5):
            await platform.inbox.accept(wants("end"))
            await platform.until(
                lambda n=number: (
                    [t for _, t in posts(platform, CUSTOMER)].count("I answer here again.") == n + 1
                )
            )
            before = len(posts(platform, CUSTOMER))
            await platform.inbox.accept(wants("again"))
            await platform.until(lambda n=before: len(posts(platform, CUSTOMER)) > n)
        assert posts(platform, CUSTOMER)[-1][1].startswith(
            "You have asked for a person several times"
        )
        assert sum(text.startswith("🙋") for _, text in posts(platform, STAFF)) == 5


async def test_only_the_staff_gives_a_conversation_back(config, platform):
    async with running(config, platform):
        await platform.inbox.accept(wants("hello"))
        request = await post(platform, STAFF, "🙋")
        (button,) = platform.shown[int(request) - 1].finished.buttons
        assert button.action == DONE
        await platform.inbox.accept(pressed(button, ANN, CUSTOMER))
        await post(platform, CUSTOMER, "This button is not for you.")
        await platform.inbox.accept(asks("still there?"))
        await post(platform, STAFF, "**Ann**:\n> still there?")


async def test_resume_ends_it_and_so_does_a_long_silence(config, platform, model):
    config = replace(
        config, roles=Roles(moderator=(str(ANN),)),
        handover=replace(config.handover, timeout_h=0.00001),
    )  # fmt: skip
    async with running(config, platform) as engine:
        await platform.inbox.accept(wants("hello"))
        await post(platform, STAFF, "🙋")
        clock = engine.inbox.clock
        now = clock.now()
        await platform.until(lambda: clock.now() - now > 0.1)
        await platform.inbox.accept(asks("anybody?"))
        await platform.until(lambda: len(model.calls) == 1)


async def test_a_model_that_does_not_know_offers_a_person(config, platform, tmp_path):
    handbook = tmp_path / "handbook.md"
    handbook.write_text("# Shop\n\n## Opening hours\n\nWe are open on Mondays.\n")
    from bot.config.sections import DocumentsSettings

    config = replace(config, models={"main": DocumentsSettings(documents=str(handbook))})
    async with running(config, platform):
        await platform.inbox.accept(asks("Do you sell submarines with velvet curtains?"))
        await platform.answers(1)
        (button,) = platform.shown[0].finished.buttons
        assert (button.action, button.label) == (ASK, "Talk to a person")
        await platform.inbox.accept(pressed(button, BOB, CUSTOMER))
        await post(platform, CUSTOMER, "This button is not for you.")
        await platform.inbox.accept(pressed(button, ANN, CUSTOMER))
        await post(platform, STAFF, "🙋 **Ann**")

    at_once = replace(config, handover=replace(config.handover, unsure="handover"))
    elsewhere = Conversation(platform="fake", workspace="W", channel="DM2")
    async with running(at_once, platform):
        await platform.inbox.accept(replace(asks("Any zeppelins?"), conversation=elsewhere))
        await post(platform, elsewhere, "I have asked a person")


# ---- hours

WEEK = [Spell.read("mon-fri 09:00-18:00"), Spell.read("sat 10:00-00:00")]


@pytest.mark.parametrize(
    ("day", "clock", "says"),
    [
        (30, "10:00", None),  # a Monday
        (30, "08:59", "today at 09:00"),
        (30, "18:00", "tomorrow at 09:00"),
        (28, "23:59", None),  # a Saturday
        (29, "12:00", "tomorrow at 09:00"),
        (27, "19:00", "tomorrow at 10:00"),
        (28, "09:00", "today at 10:00"),
    ],
)
def test_when_somebody_is_there_again(day, clock, says):
    now = datetime.fromisoformat(f"2026-11-{day} {clock}").replace(tzinfo=UTC)
    moment = opening(WEEK, now)
    assert (moment and told(moment, now)) == says


def test_without_hours_somebody_is_always_there():
    assert opening([], datetime(2026, 11, 29, tzinfo=UTC)) is None


@pytest.mark.parametrize("line", ["monday 9-5", "mon 18:00-09:00", "mon-xyz 09:00-10:00", ""])
def test_hours_that_cannot_be_read(line):
    with pytest.raises(ValueError, match="write"):
        Spell.read(line)


async def test_who_is_forgotten_leaves_nothing_with_the_staff(config, platform, tmp_path):
    async with running(config, platform):
        await platform.inbox.accept(asks("CANARY"))
        await platform.answers(1)
        await platform.inbox.accept(wants("CANARY, please"))
        request = await post(platform, STAFF, "🙋 **Ann**")
        await platform.inbox.accept(asks("CANARY again"))
        await platform.answers(4)
        await platform.inbox.accept(command("forget_me", "yes", conversation=CUSTOMER))
        await post(platform, CUSTOMER, "You are forgotten")
        await post(platform, STAFF, "✅ The bot answers there again.")
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path.name for path in files if b"CANARY" in path.read_bytes()] == []
        assert stored(tmp_path, "select * from handovers") == []
        await platform.inbox.accept(asks("hello"))
        await post(platform, CUSTOMER, "You said: hello")
        await platform.inbox.accept(staff("too late", to=request))
        await post(platform, STAFF, "I have not passed this on")
        await platform.inbox.accept(asks("still there?"))
        await post(platform, CUSTOMER, "You said: still there?")
        assert "too late" not in str(posts(platform, CUSTOMER))
