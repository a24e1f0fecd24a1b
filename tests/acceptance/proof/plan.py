"""What `make proof` proves: every promise, the module that proves it, and how much of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLATFORMS = ("telegram", "slack", "discord")


@dataclass(frozen=True)
class Proof:
    """One promise; `module` has `run(..., seed, progress)` and the names of its `FAULTS`."""

    module: str
    promise: str
    full: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    platforms: Sequence[str] = ()  # run once for each, side by side
    staffs: Sequence[str] = ()  # likewise, for each on which people of the house answer

    def jobs(self, quick):
        """Return the arguments of every run, by the name of its column."""
        chosen = dict(self.quick if quick else self.full)
        if self.staffs:
            return {f"staff_on_{name}": {**chosen, "staff": name} for name in self.staffs}
        if not self.platforms:
            return {"number": chosen}
        return {platform: {**chosen, "platform": platform} for platform in self.platforms}


PROOFS = (
    Proof("kills", "kill -9 at any moment: no message lost, none answered twice, all in order",
          {"cycles": 1000}, {"cycles": 100}, PLATFORMS),
    Proof("contrast", "the same kills without the protections: what the count can see",
          {"cycles": 150}, {"cycles": 20}, PLATFORMS),
    Proof("power", "no acknowledged message is lost when the power goes", {"cuts": 1000},
          {"cuts": 100}),
    Proof("syncs", "nothing is lost when the disk refuses to sync", {"lives": 100}, {"lives": 10}),
    Proof("sweep", "a crash at every commit and step leaves nothing undone", {"every": 1},
          {"every": 50}, PLATFORMS),
    Proof("chains", "a crash at every commit of a chain of model calls pays no step twice",
          {"every": 1}, {"every": 5}),
    Proof("schedules", "random fault schedules break no promise", {"count": 10000},
          {"count": 300}),
    Proof("outages", "an hour without platform, model or store costs no message", {},
          {"seconds": 600.0}),
    Proof("disk", "nothing is acknowledged that a full or locked store has not taken",
          {"seconds": 30.0}, {"seconds": 8.0}),
    Proof("budgets", "a budget never overshoots: requests all at once, kill -9 in between",
          {"kills": 50}, {"requests": 300, "kills": 5}),
    Proof("privacy", "nothing of bystanders is stored, nothing of the forgotten is left",
          {"every": 1}, {"every": 50}, PLATFORMS),
    Proof("handover", "people talk through a bot that is killed: nothing lost, doubled or crossed",
          {"cycles": 40}, {"cycles": 4}, staffs=PLATFORMS),
    Proof("latency", "storing before the acknowledgement does not make a platform wait",
          {"seconds": 5.0}, {"seconds": 2.0}),
    Proof("corpora", "whatever strangers ask of a model that obeys them, nothing harmful leaves", {},
          {"count": 160}, PLATFORMS),
)  # fmt: skip
