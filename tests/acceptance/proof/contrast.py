"""The same kills with the protections off: what a durable queue alone would do.

    python -m tests.acceptance.proof.contrast --platform slack --cycles 150

The stage, the dice and the count are those of `kills.py`; only the sender is blind (`blind.py`).
When nothing is doubled here, the count sees nothing, and this proof counts itself as broken.
"""

from tests.acceptance.proof.kills import measured
from tests.acceptance.proof.running import alone, quiet

FAULTS = ("counted_nothing",)


async def run(platform="telegram", cycles=150, seed=1, progress=quiet):
    """Kill a blind bot on one platform; returns what became of the messages."""
    trial, _ = await measured(platform, cycles, seed, progress, blind=True)
    return {"kills": cycles, **vars(trial.count), "counted_nothing": int(not trial.count.doubled)}


if __name__ == "__main__":
    alone("kill -9 without protections", run, FAULTS, platform="telegram", cycles=150)
