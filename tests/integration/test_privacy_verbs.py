"""`parley export` and `parley forget`, beside a stopped bot and on a running one."""

import asyncio
import json
import stat
import time

import pytest
from click.testing import CliRunner

from bot.backends.sqlite.store import opened
from bot.cli import main
from bot.domain.conversation import Person
from bot.ops import control, privacy
from bot.ops.place import Place
from bot.ports.store import NewLine, Result
from tests.events import message
from tests.harness import running

BOB = Person(platform="telegram", user="42", name="Bob")


def invoke(folder, *arguments, words=""):
    (folder / "config.toml").write_text(f'data_dir = "{folder}"')
    return CliRunner().invoke(main, [*arguments, "--config", str(folder / "config.toml")], words)


async def talk(folder):
    async with opened(folder / "parley.db") as store:
        await store.lanes.ingest(message("CANARY", author=BOB), lane="l", memory="m")
        (turn,) = await store.lanes.claim(1)
        line = NewLine(role="user", text="CANARY", person=str(BOB))
        await store.lanes.finish(turn, Result(lines=(line,)))


@pytest.fixture
def talked(tmp_path):
    asyncio.run(talk(tmp_path))
    return tmp_path


def found(folder):
    return [p.name for p in folder.iterdir() if b"CANARY" in p.read_bytes()]


def test_beside_a_stopped_bot_everything_is_shown_and_then_deleted(talked):
    told = json.loads(invoke(talked, "export", str(BOB), "--json").stdout)
    assert told["lines"][0]["text"] == "CANARY"
    assert "CANARY" in invoke(talked, "export", str(BOB)).stdout
    done = invoke(talked, "forget", str(BOB), "--yes")
    assert (done.exit_code, done.stdout) == (0, "Forgotten: 1 lines.\n")
    assert found(talked) == []
    again = json.loads(invoke(talked, "forget", str(BOB), "--yes", "--json").stdout)
    assert again == {"person": str(BOB), "deleted": {}, "complete": True}
    noted = json.loads(invoke(talked, "audit", "--json").stdout)
    assert [(line["actor"], line["action"]) for line in noted["lines"]] == [
        ("parley", "forget")
    ] * 2
    assert (str(BOB) in str(noted), noted["broken"]) == (False, 0)


def test_an_export_goes_to_a_new_file_that_only_its_owner_reads(talked):
    target = talked / "bob.json"
    assert invoke(talked, "export", str(BOB), "--output", str(target)).exit_code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert json.loads(target.read_text())["lines"]
    again = invoke(talked, "export", str(BOB), "--output", str(target))
    assert (again.exit_code, again.stdout) == (1, "")
    assert "cannot be written" in again.stderr


def test_forgetting_asks_first(talked):
    for words in ("n\n", ""):
        assert invoke(talked, "forget", str(BOB), words=words).exit_code == 1
        assert found(talked)
    assert invoke(talked, "forget", str(BOB), words="y\n").exit_code == 0
    assert found(talked) == []


@pytest.mark.parametrize("verb", [("export",), ("forget", "--yes")])
def test_of_an_unknown_person_nothing_is_stored_and_a_wrong_name_is_told(talked, verb):
    unknown = invoke(talked, *verb, "telegram::7")
    assert (unknown.exit_code, unknown.stdout) == (0, "Nothing is stored about telegram::7.\n")
    wrong = invoke(talked, *verb, "bob")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "platform:workspace:user" in wrong.stderr


@pytest.mark.parametrize("verb", [("export",), ("forget", "--yes")])
def test_without_a_database_it_is_said(tmp_path, verb):
    said = invoke(tmp_path, *verb, "telegram::7")
    assert said.exit_code == 1
    assert "there is no database" in said.stderr


async def test_a_running_bot_is_asked(config, platform, tmp_path):
    place = Place(data_dir=tmp_path)
    async with running(config, platform) as engine:
        forgetting = engine.keeping.forgetting
        verbs = privacy.verbs(forgetting.privacy.export, forgetting.forget)
        async with control.listening(place.socket, verbs):
            await platform.inbox.accept(message("CANARY", author=BOB, at=time.time()))
            await platform.until(lambda: engine.dispatcher.crowd.count() == 0)
            told = await asyncio.to_thread(invoke, tmp_path, "export", str(BOB))
            assert "CANARY" in told.stdout
            done = await asyncio.to_thread(invoke, tmp_path, "forget", str(BOB), "--yes")
            assert done.stdout.startswith("Forgotten: 2 lines")
            files = [path for path in tmp_path.iterdir() if path.is_file()]
            assert [p.name for p in files if b"CANARY" in p.read_bytes()] == []
            wrong = await asyncio.to_thread(invoke, tmp_path, "forget", "bob", "--yes")
            assert wrong.exit_code == 1
            assert "platform:workspace:user" in wrong.stderr
