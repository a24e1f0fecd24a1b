"""Nothing that was acknowledged is gone after a power cut; where something is, the proof sees it."""

import random

import pytest

from tests.acceptance.proof import power
from tests.acceptance.proof.disks import Step, rebuilt, seen

WRITTEN = (Step("create", "f"), Step("write", "f", 0, b"a" * 1024))
SYNCED = (*WRITTEN, Step("sync", "f"))


@pytest.mark.long
async def test_power_cuts_lose_nothing_and_tear_nothing():
    numbers = await power.run(cuts=200)

    assert {name: numbers[name] for name in power.FAULTS} == dict.fromkeys(power.FAULTS, 0)
    assert numbers["acknowledged"] > 200
    assert numbers["contrast_messages_lost_normal"] > 0


async def test_the_same_seed_gives_the_same_numbers():
    assert await power.run(cuts=10, seed=3) == await power.run(cuts=10, seed=3)


async def test_a_disk_that_lies_about_its_syncs_is_seen(tmp_path):
    dice = random.Random(1)
    steps, promises = await power.live(tmp_path / "before", dice)
    (tmp_path / "after").mkdir()
    rebuilt([step for step in steps if step.kind != "sync"], tmp_path / "after", dice)

    found = await power.judge(tmp_path / "after", promises, len(steps))

    assert found["messages_lost"] > 0


@pytest.mark.parametrize("seed", range(20))
def test_what_was_synced_is_there_and_later_writes_come_in_whole_sectors(tmp_path, seed):
    later = Step("write", "f", 256, b"b" * 1024)

    rebuilt([*SYNCED, later], tmp_path, random.Random(seed))

    content = (tmp_path / "f").read_bytes()
    assert content[:256] == b"a" * 256
    assert {bytes({b}) for b in content[256:512]} <= {b"a", b"b"}
    assert content[512:1024] in (b"a" * 512, b"b" * 512)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_failed_sync_lost_stays_lost_but_is_seen(tmp_path, seed):
    failed = (*SYNCED, Step("write", "f", 0, b"b" * 1024), Step("failed", "f"), Step("sync", "f"))
    (tmp_path / "cache").mkdir()

    contents = set()
    for other in range(10):
        rebuilt(failed, tmp_path, random.Random(f"{seed} {other}"))
        contents.add((tmp_path / "f").read_bytes())
    seen(failed, tmp_path / "cache")

    assert any(b"a" in content for content in contents)
    assert (tmp_path / "cache" / "f").read_bytes() == b"b" * 1024


def test_an_unsynced_file_may_be_missing_and_an_unsynced_deletion_may_not_hold(tmp_path):
    there = {"new": set(), "deleted": set()}
    for seed in range(20):
        for name, steps in {"new": WRITTEN, "deleted": (*SYNCED, Step("delete", "f"))}.items():
            folder = tmp_path / f"{name}{seed}"
            folder.mkdir()
            rebuilt(steps, folder, random.Random(seed))
            there[name].add((folder / "f").exists())

    assert there == {"new": {True, False}, "deleted": {True, False}}
