"""The control socket by itself: both ends, and what may stand between them."""

import asyncio
import os
import socket
import stat

import pytest

from bot.domain.errors import ConfigError, HungUp, ParleyError
from bot.ops import socket_path
from bot.ops.asking import ask
from bot.ops.control import listening


async def double(request):
    return {"twice": 2 * request["number"]}


async def refuse(request):
    raise ParleyError("this cannot be done")


VERBS = {"double": double, "refuse": refuse}


async def asked(path, verb, **values):
    return await asyncio.to_thread(ask, path, verb, **values)


async def test_a_verb_is_answered_and_its_complaint_is_told(tmp_path):
    path = tmp_path / "control.sock"
    assert await asked(path, "double") is None
    async with listening(path, VERBS):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await asked(path, "double", number=21) == {"twice": 42}
        with pytest.raises(ParleyError, match=r"^this cannot be done$"):
            await asked(path, "refuse")
        with pytest.raises(ParleyError, match="another version"):
            await asked(path, "unheard of")
    assert not path.exists()


@pytest.mark.parametrize("line", [b"\n", b"nonsense\n", b"[]\n", b'{"verb": []}\n', b"\xff\n"])
async def test_what_is_no_request_is_told_so(tmp_path, line):
    path = tmp_path / "control.sock"
    async with listening(path, VERBS):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line)
        assert b"another version" in await reader.readline()
        writer.close()
        assert await asked(path, "double", number=1) == {"twice": 2}


async def test_who_hangs_up_disturbs_nobody(tmp_path):
    path = tmp_path / "control.sock"
    async with listening(path, VERBS):
        for _ in range(3):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(b'{"verb": "double", "number": 1}\n')
            writer.close()
        assert await asked(path, "double", number=1) == {"twice": 2}


@pytest.mark.parametrize(("read", "said"), [(0, b""), (10**6, b""), (10**6, b'{"resu')])
async def test_a_bot_that_ends_before_it_answers_has_hung_up(tmp_path, read, said):
    path = tmp_path / "control.sock"

    async def end(reader, writer):
        await reader.read(read)
        writer.write(said)
        writer.close()

    async with await asyncio.start_unix_server(end, path):
        with pytest.raises(HungUp, match=f"^the running Parley hung up on {path}$"):
            await asked(path, "double", number="1" * 500_000)


async def test_a_living_bot_keeps_its_socket_and_a_dead_one_does_not(tmp_path):
    path = tmp_path / "control.sock"
    async with listening(path, VERBS):
        with pytest.raises(ConfigError, match="another Parley listens"):
            async with listening(path, VERBS):
                pass
        assert await asked(path, "double", number=1) == {"twice": 2}
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert await asked(path, "double") is None
    async with listening(path, VERBS):
        assert await asked(path, "double", number=1) == {"twice": 2}


async def test_a_disk_without_sockets_costs_only_the_socket(tmp_path, caplog):
    path = tmp_path / "control.sock"
    path.mkdir()  # nothing can be bound there either
    (path / "file").touch()
    async with listening(path, VERBS):
        assert "no control socket" in caplog.text
    assert (path / "file").exists()


async def test_the_rights_of_other_files_stay_as_they_were(tmp_path):
    before = os.umask(0o022)
    async with listening(tmp_path / "control.sock", VERBS):
        assert os.umask(before) == 0o022


async def test_a_path_may_be_longer_than_a_socket_address(tmp_path, monkeypatch):
    path = tmp_path / ("a" * 80) / ("b" * 80) / "control.sock"
    path.parent.mkdir(parents=True)
    async with listening(path, VERBS):
        assert await asked(path, "double", number=1) == {"twice": 2}
        assert path.is_socket()
    monkeypatch.setattr(socket_path, "OPEN_FILES", tmp_path / "nothing")  # not on this system
    with pytest.raises(ConfigError, match="too long for a socket; choose a shorter folder"):
        async with listening(path, VERBS):
            pass
