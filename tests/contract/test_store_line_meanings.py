"""The vectors of lines: only those of lines that are looked through, as `bot.ports.memory` says."""

import asyncio

from bot.backends.sqlite.line_meanings import MOST
from bot.backends.sqlite.store import opened
from bot.core.overhearing import heard
from tests.events import message


async def test_only_the_newest_lines_of_a_long_memory_are_to_be_embedded(tmp_path):
    async with opened(tmp_path / "parley.db") as store:
        said = [message(f"line {n}") for n in range(MOST + 20)]
        await asyncio.gather(
            *(store.lanes.overhear(one, heard(one), lane="l", memory="m") for one in said)
        )
        bare = await store.meanings.bare("m", "e", limit=MOST + 20)
        assert [text for _, text in bare] == [f"line {n}" for n in range(20, MOST + 20)]
        await store.meanings.keep("e", {id: b"\0" * 8 for id, _ in bare[:10]})
        assert (await store.meanings.bare("m", "e", limit=1))[0] == bare[10]
