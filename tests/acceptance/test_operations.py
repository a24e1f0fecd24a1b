"""The installed program as its operator handles it: looked at, copied, stopped, and broken."""

import asyncio
import json
import re
import signal
import socket
import sqlite3
import stat
import urllib.error
import urllib.request
from contextlib import asynccontextmanager, closing

import pytest

from bot.backends.sqlite.store import opened
from bot.domain.conversation import Conversation, Person
from bot.ports.store import Result
from tests.acceptance.stage import PARLEY, Stage
from tests.events import message

pytestmark = pytest.mark.long


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def stage_in(folder, *lines):
    """Set a stage whose configuration has further lines; nothing is started."""
    folder.mkdir(parents=True, exist_ok=True)
    async with Stage("telegram", folder, sections="\n".join(lines)) as stage:
        yield stage
    assert "Traceback" not in (folder / "log").read_text()


def troubles(stage):
    """Count lost, doubled and swapped messages."""
    count = stage.count()
    return count.lost, count.doubled, count.swapped


async def parley(stage, *arguments):
    """Run another verb beside the bot; returns exit code, output and complaints."""
    process = await asyncio.create_subprocess_exec(
        PARLEY, *arguments, "--config", str(stage.folder / "config.toml"), cwd=stage.folder,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, complaints = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in complaints
    return process.returncode, out.decode(), complaints.decode()


async def told(stage, *arguments, code=0):
    """Run a verb that prints JSON; returns what it says."""
    returned, out, complaints = await parley(stage, *arguments, "--json")
    assert returned == code, complaints
    return json.loads(out)


async def until(condition, within=20.0):
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.05)


async def fetched(port, page):
    """Fetch a page; returns status and text."""

    def fetch():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(fetch)


async def ended(stage, within=20):
    return await asyncio.wait_for(stage.process.wait(), within)


async def listening(stage):
    """Wait until a started bot listens to its platform and to its operator."""

    async def is_up():
        return stage.connected() and (await parley(stage, "status"))[0] == 0

    await until(is_up)


async def ready(stage):
    async def is_ready():
        return (await parley(stage, "health"))[0] == 0

    await until(is_ready)


def log_of(stage):
    return (stage.folder / "log").read_text()


# Health and figures -----------------------------------------------------------------------------


async def test_health_and_figures_are_shown_over_http(tmp_path):
    port = free_port()
    async with stage_in(tmp_path, "[http]", f"port = {port}") as stage:
        await stage.begin(2)
        assert await fetched(port, "livez") == (200, "alive\n")
        status, body = await fetched(port, "readyz")
        assert (status, json.loads(body)) == (
            200, {"ready": True, "complaints": [], "open_events": 0, "oldest_event_seconds": 0.0},
        )  # fmt: skip
        _, text = await fetched(port, "metrics")
        assert 'parley_events_total{kind="MessageReceived",platform="telegram"} 2.0' in text
        assert 'parley_turns_total{outcome="done"} 2.0' in text
        assert 'parley_adapter_up{platform="telegram"} 1.0' in text
        assert 'parley_turn_seconds_bucket{le="+Inf"} 2.0' in text
        labels = {"platform", "kind", "outcome", "model", "direction", "le"}
        assert set(re.findall(r'(\w+)="', text)) == labels, "none names a person or a chat"
        assert (await fetched(port, ""))[0] == 404
        assert "open to the network" not in log_of(stage)
        assert await stage.stop() == 0


async def test_a_store_that_cannot_be_written_is_told_and_recovers_by_itself(tmp_path):
    port = free_port()
    async with stage_in(tmp_path, "[http]", f"port = {port}") as stage:
        await stage.begin(1)
        with closing(sqlite3.connect(tmp_path / "data" / "parley.db", isolation_level=None)) as db:
            db.execute("begin immediate")  # as another program would that holds the database
            status, body = await fetched(port, "readyz")
            assert status == 503
            assert "store" in json.loads(body)["complaints"][0]
            assert (await fetched(port, "livez"))[0] == 200
            code, out, _ = await parley(stage, "health")
            assert (code, out[:6]) == (1, "store:")
            db.execute("rollback")
        await ready(stage)
        assert (await fetched(port, "readyz"))[0] == 200


async def test_a_platform_that_is_not_heard_makes_the_bot_not_ready(tmp_path):
    async with stage_in(tmp_path) as stage:
        await stage.place.fake.__aexit__(None, None, None)
        await stage.start()

        async def answers():
            return (await parley(stage, "status"))[0] == 0

        await until(answers)
        status = await told(stage, "status")
        assert status["platforms"]["telegram"]["up"] is False
        code, out, _ = await parley(stage, "health")
        assert (code, out.startswith("telegram: ")) == (1, True)
        await stage.kill()
        await stage.place.fake.__aenter__()


async def test_a_port_that_is_taken_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with stage_in(tmp_path, "[http]", f"port = {port}") as stage:
            await stage.start()
            assert await ended(stage) == 2
            assert log_of(stage).splitlines()[-1].startswith(f"parley: http.port: {port} is taken")


async def test_a_port_that_is_open_to_others_is_said(tmp_path):
    port = free_port()
    async with stage_in(tmp_path, "[http]", 'host = "0.0.0.0"', f"port = {port}") as stage:
        await stage.begin(1)
        assert f"open to the network on 0.0.0.0, port {port}" in log_of(stage)


# The control socket -----------------------------------------------------------------------------


async def test_status_tells_what_runs_and_what_does_not(tmp_path):
    async with stage_in(tmp_path) as stage:
        status = await told(stage, "status", code=1)
        assert status == {"running": False, "open": 0, "dead": 0}
        await stage.begin(2)
        status = await told(stage, "status")
        assert status["running"] is True
        assert status["process"] == stage.process.pid
        assert status["turns"] == {"done": 2}
        assert status["platforms"]["telegram"]["up"] is True
        _, out, _ = await parley(stage, "status")
        assert "Everything is well." in out
        assert await stage.stop() == 0
        assert (await parley(stage, "health"))[0] == 1


async def test_only_the_owner_may_open_the_socket_and_a_dead_one_is_replaced(tmp_path):
    path = tmp_path / "data" / "control.sock"
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        await stage.kill()
        assert path.exists()
        assert (await parley(stage, "health"))[0] == 1
        await stage.start()
        await listening(stage)
        assert await stage.stop() == 0
        assert not path.exists()


async def test_a_folder_too_deep_for_a_socket_serves_as_well(tmp_path):
    async with stage_in(tmp_path / ("deep" * 20) / ("deeper" * 20)) as stage:
        await stage.begin(1)
        assert (await parley(stage, "health"))[0] == 0
        assert await stage.stop() == 0


# The queue --------------------------------------------------------------------------------------


async def given_up(stage, text):
    """Leave a dead letter and one message that waits in the database of a bot that does not run."""
    place = Conversation(platform="telegram", channel="1001")
    person = Person(platform="telegram", user="1001")
    values = {"conversation": place, "author": person}
    async with opened(stage.folder / "data" / "parley.db") as store:
        lost = message(f"{text} #0-0", **values)
        await store.lanes.ingest(lost, lane=str(place), memory=str(place))
        (turn,) = await store.lanes.claim(1)
        await store.lanes.finish(turn, Result(outcome="dead", reason="the model was away"))
    return turn.id


async def test_what_was_given_up_is_answered_after_all(tmp_path):
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        await stage.stop()
        id = await given_up(stage, "again")
        (entry,) = await told(stage, "queue", "list")  # without a bot
        assert (entry["id"], entry["state"], entry["reason"]) == (id, "dead", "the model was away")
        await stage.start()
        await listening(stage)
        assert [entry["id"] for entry in await told(stage, "queue", "list")] == [id]
        assert (await told(stage, "queue", "show", str(id)))["event"]["text"] == "again #0-0"
        before = len(stage.place.shown(0))
        code, out, _ = await parley(stage, "queue", "retry", str(id))
        assert (code, out) == (0, f"{id} waits to be answered.\n")

        async def answered():
            return len(stage.place.shown(0)) > before and "#0-0." in stage.place.shown(0)[-1]

        await until(answered)
        code, _, complaint = await parley(stage, "queue", "retry", str(id))
        assert (code, "no such message" in complaint) == (1, True)
        _, out, _ = await parley(stage, "queue", "list")
        assert out == "Everything is answered.\n"


async def test_what_was_given_up_is_dropped_with_and_without_a_bot(tmp_path):
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        await stage.stop()
        first, second = await given_up(stage, "one"), await given_up(stage, "two")
        assert await told(stage, "queue", "drop", str(first)) == {"id": first, "state": "declined"}
        await stage.start()
        await listening(stage)
        assert await told(stage, "queue", "drop", str(second)) == {
            "id": second,
            "state": "declined",
        }
        assert await told(stage, "queue", "list") == []


# Backups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verb", [("audit",), ("queue", "list"), ("export", "telegram::1"), ("knowledge", "list")]
)
async def test_a_verb_waits_for_a_bot_that_is_just_starting(tmp_path, verb):
    async with stage_in(tmp_path) as stage:
        await stage.start()
        data = tmp_path / "data"

        async def has_its_database():
            stage.process.send_signal(signal.SIGSTOP)
            if (data / "parley.db.lock").exists() and (data / "parley.db").stat().st_size:
                return True
            stage.process.send_signal(signal.SIGCONT)
            return False

        await until(has_its_database)
        assert not (data / "control.sock").exists(), "it listens already"
        asked = asyncio.create_task(parley(stage, *verb))
        done, _ = await asyncio.wait({asked}, timeout=2.5)
        assert not done, "it did not wait"
        stage.process.send_signal(signal.SIGCONT)
        code, _, complaints = await asked
        assert (code, complaints) == (0, "")


async def test_a_backup_of_a_busy_bot_is_whole_and_can_be_put_back(tmp_path):
    async with stage_in(tmp_path) as stage:
        await stage.begin(4)
        for n in range(40):
            stage.say(n % 4)
        facts = await told(stage, "backup", str(tmp_path / "b.db"))
        assert facts["lines"] >= 8
        await stage.all_answered()
        assert troubles(stage) == (0, 0, 0)
        assert stat.S_IMODE((tmp_path / "b.db").stat().st_mode) == 0o600
        found = await told(stage, "restore", str(tmp_path / "b.db"), "--verify")
        assert (found["lines"], found["waiting"]) == (facts["lines"], facts["waiting"])
        code, _, complaint = await parley(stage, "restore", "b.db")
        assert (code, "stop it first" in complaint) == (1, True)
        assert await stage.stop() == 0
        restored = await told(stage, "restore", "b.db")
        assert (tmp_path / "data" / "parley.db").samefile(restored["database"])
        kept = await told(stage, "restore", restored["kept"], "--verify")
        assert kept["lines"] == 2 * 44
        assert (await told(stage, "backup", "again.db"))["lines"] == facts["lines"]
        await stage.start()
        await listening(stage)


# Signals, and a database that goes away ---------------------------------------------------------


async def test_a_second_signal_ends_it_at_once_and_nothing_is_lost(tmp_path):
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        stage.model.interval = 60.0  # the answer hangs
        stage.say(0)

        async def asked():
            return len(stage.model.calls) > 1

        await until(asked)
        stage.process.send_signal(signal.SIGTERM)
        stage.process.send_signal(signal.SIGTERM)  # some tools send two: they count as one
        await asyncio.sleep(0.8)
        assert stage.process.returncode is None, "the first one lets answers end"
        stage.process.send_signal(signal.SIGTERM)
        assert await ended(stage, 2) == 128 + signal.SIGTERM
        assert "stopping at once" in log_of(stage)
        stage.model.interval = 0.0
        await stage.start()
        await stage.all_answered()
        assert troubles(stage) == (0, 0, 0)
        assert await stage.stop() == 0


def moved(path):
    path.rename(path.with_suffix(".elsewhere"))


def deleted(path):
    path.unlink()


def replaced(path):
    other = path.with_suffix(".other")
    with closing(sqlite3.connect(other)) as db:
        db.execute("vacuum")
    other.replace(path)


@pytest.mark.parametrize("lose", [moved, deleted, replaced], ids=lambda lose: lose.__name__)
async def test_a_bot_whose_database_goes_away_takes_nothing_more_and_ends(tmp_path, lose):
    async with stage_in(tmp_path) as stage:
        await stage.begin(1)
        lose(tmp_path / "data" / "parley.db")
        stage.say(0, "into the void")
        assert await ended(stage) == 1
        last = log_of(stage).splitlines()[-1]
        assert last.startswith("parley: ")
        assert "while Parley was using it" in last
        assert stage.unanswered(0) == ["0-1"]
        if lose is replaced:
            return
        await stage.start()
        assert await ended(stage) == 1, "nothing begins anew where a database was"
        assert "parley restore FILE" in log_of(stage).splitlines()[-1]
        (tmp_path / "data" / "parley.db.lock").unlink()
        await stage.start()  # Telegram still has the message, since it was not acknowledged
        await stage.all_answered()
        assert stage.unanswered(0) == []
