"""What random fault schedules have found in the engine, each as small as it can be told."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field

from bot.backends.sqlite.store import opened
from bot.domain.replies import Part, Receipt
from tests.events import message
from tests.harness import MemoryPlatform, running
from tests.integration.conftest import begun, deletion, prompt, slow


@dataclass
class Noting(MemoryPlatform):
    """A platform that notes which messages each delivery was told of."""

    told: list = field(default_factory=list)

    async def deliver(self, to, reply, outbox):
        self.told.append([part.id for part in outbox.known.values()])
        async for _ in reply:
            pass
        return Receipt()


async def killed(folder, event, part):
    """Leave a message as a process does that is killed while it shows the answer."""
    place = str(event.conversation)
    async with opened(folder / "parley.db") as store:
        await store.lanes.ingest(event, lane=place, memory=place)
        (turn,) = await store.lanes.claim(5)
        await store.lanes.save(turn, "admitted", {"model": "main"})
        await store.lanes.save_part(turn, part)


async def test_a_store_that_somebody_else_holds_can_be_closed(tmp_path):
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as other:
        async with opened(tmp_path / "parley.db") as store:
            await store.lanes._connection.run(lambda db: db.execute("pragma busy_timeout=0"))
            other.execute("begin immediate")


async def test_a_deleted_exchange_does_not_come_back_when_its_place_is_taken(
    config, platform, model
):
    async with running(config, platform):
        second = message("the second", message="a person's")
        await platform.inbox.accept(message("the first"))
        await platform.answers(1)
        await platform.inbox.accept(second)
        await platform.answers(2)
        slow(model, words=20)
        await platform.inbox.accept(message("the third"))
        await begun(platform)
        await platform.inbox.accept(deletion(second))
        await platform.until(lambda: "word19" in platform.shown[-1].text)
        await platform.inbox.accept(message("the fourth"))
        await model.until_called(4)
        asked = [text for role, text in prompt(model.calls[-1]) if role == "user"]
    assert asked == ["the first", "the third", "the fourth"]


async def test_a_message_of_unknown_fate_is_taken_away_with_its_question(config, tmp_path):
    event, platform = message("regretted"), Noting()
    place = str(event.conversation)
    async with opened(tmp_path / "parley.db") as store:
        await store.lanes.ingest(event, lane=place, memory=place)
        (turn,) = await store.lanes.claim(5)
        await store.lanes.save(turn, "admitted", {"model": "main"})
        await store.lanes.save_part(turn, Part(index=0, end=3, digest="d"))
        await store.lanes.withdraw(deletion(event))
    async with running(config, platform):
        await platform.until(lambda: platform.told, timeout=3)
    assert platform.told == [[""]]


async def test_what_a_resting_question_has_shown_is_taken_away_with_it(config, tmp_path):
    event, platform = message("regretted"), Noting()
    for _ in range(2):
        await killed(tmp_path, event, Part(index=0, end=3, digest="d", id="7"))
    async with running(config, platform):
        await platform.inbox.accept(deletion(event))
        await platform.until(lambda: platform.told, timeout=3)
    assert platform.told == [["7"]]
