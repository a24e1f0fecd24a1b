"""Search the data directory, byte by byte, for what must not be there.

    python -m tests.acceptance.proof.privacy --platform slack --every 10

Bystanders: in a group in which the bot is talked to, others write to each other, edit, react and
delete. The forgotten: somebody writes a canary, is answered, and asks to be forgotten; the bot
kills itself (`armed.py`) at the first, second, … commit and at every `every`th step of the event
loop after the request, starts again, and goes on. A request that a kill has swallowed before it was
stored is made again, as a person would. The summed up: the same in a group whose memory is a model's
summary of it, in words of its own (`retold.py`); the contrast keeps summaries whose lines are gone.
"""

import random
import tempfile
from collections import Counter
from itertools import count
from pathlib import Path

from tests.acceptance.proof.forgetting import counted, forgotten, found_in
from tests.acceptance.proof.plan import PLATFORMS
from tests.acceptance.proof.retold import retold
from tests.acceptance.proof.running import alone, quiet
from tests.acceptance.stage import Stage

BYSTANDER = "BYSTANDER"
FAULTS = ("bystanders_bytes", "forgotten_bytes", "bytes_in_logs", "never_forgotten",
          "summed_up_forgotten_bytes", "summed_up_forgotten_in_prompts", "summed_up_bytes_in_logs",
          "summed_up_never_forgotten")  # fmt: skip
MOMENTS = 400  # about as many for each platform, for the progress bar alone
FEWER = 4  # steps between two kills of the summed up, at least: their rounds are longer


# ---- bystanders


def telegram_chatter(fake, word):
    """Let people talk in the group of room 0."""
    ids = [fake.say(f"{word} {n}", chat=-1001, person=77 + n, private=False) for n in range(3)]
    fake.edit(-1001, ids[0], f"{word} edited")
    fake.say(f"{word} replies", chat=-1001, person=78, private=False, reply_to=ids[0])
    fake.react(-1001, ids[1], "👍", person=79)


def slack_chatter(fake, word):
    """Let people talk in the channel of room 0."""
    first, other, last = [fake.say(f"{word} {n}", "C0", f"U9{n}") for n in range(3)]
    fake.say(f"{word} replies", "C0", "U91", first)
    base = {"type": "message", "channel": "C0", "channel_type": "channel"}
    told = {"type": "message", "user": "U90", "ts": first, "text": f"{word} 0"}
    fake.envelope(base | {"subtype": "message_changed", "ts": fake.workspace.ts(),
                          "message": told | {"text": f"{word} edited", "edited": {"user": "U90", "ts": first}},
                          "previous_message": told})  # fmt: skip
    fake.envelope(base | {"subtype": "message_deleted", "ts": fake.workspace.ts(),
                          "deleted_ts": last, "previous_message": told | {"ts": last}})  # fmt: skip
    fake.envelope({"type": "reaction_added", "user": "U91", "reaction": word.lower(), "item_user": "U90",
                   "item": {"type": "message", "channel": "C0", "ts": other},
                   "event_ts": fake.workspace.ts()})  # fmt: skip


def discord_chatter(fake, word):
    """Let people talk in the channel of room 0."""
    place = "93000"
    first, other, last = [fake.say(f"{word} {n}", channel=place, user=f"70{n}") for n in range(3)]
    fake.say(f"{word} replies", channel=place, user="701", reply_to=first)
    fake.edit(first, f"{word} edited")
    fake.react(place, other, word, user="702")
    fake.delete(place, last)


CHATTER = {"telegram": telegram_chatter, "slack": slack_chatter, "discord": discord_chatter}


async def bystanders(platform):
    """Count what the data directory knows of people who do not talk to the bot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Stage(platform, folder, kinds=("group",)) as stage:
            await stage.begin(1)
            for _ in range(5):
                CHATTER[platform](stage.place.fake, BYSTANDER)
                stage.say(0, "hello, bot")
                await stage.all_answered()
            alive = found_in(folder / "data", BYSTANDER)
            await stage.stop()
            return {
                "bystanders_messages": 20,
                "bystanders_bytes": alive + found_in(folder / "data", BYSTANDER),
                "answers_beside_them": stage.answered(),
                "bytes_in_logs": counted((folder / "log").read_bytes(), BYSTANDER),
            }


# ---- all of it


async def run(*, platform="all", every=10, seed=1, progress=quiet):
    """Prove all of it for one platform, or for `all`."""
    chosen = list(PLATFORMS) if platform == "all" else [platform]
    numbers, done = Counter(), count(1)
    total = len(chosen) * MOMENTS // every
    for name in chosen:
        numbers.update(await bystanders(name))
        chance = random.Random(f"privacy {seed} {name}")
        kinds = {
            "before": count(1),
            "after": count(1),
            "step": count(chance.randint(1, every), every),
        }
        last, found = await forgotten(name, kinds, lambda: progress(next(done), total))
        numbers.update({f"{name}_K_{kind}": reached for kind, reached in last.items()})
        numbers.update(found)
        found = await summed_up(name, every, chance, lambda: progress(next(done), total))
        numbers.update({f"summed_up_{what}": number for what, number in found.items()})
    progress(total, total)
    return {**dict.fromkeys(FAULTS, 0), **numbers}


async def summed_up(name, every, chance, progress):
    """Kill at fewer moments than those of `forgotten`, as a round takes longer; returns what was found."""
    commits, steps = 1 + every // 4, max(every, FEWER)
    kinds = {
        kind: count(chance.randint(1, apart), apart)
        for kind, apart in {"before": commits, "after": commits, "step": steps}.items()
    }
    _, found = await retold(name, kinds, progress)
    return found


if __name__ == "__main__":
    alone("what must not be in the data directory", run, FAULTS, platform="all", every=10)
