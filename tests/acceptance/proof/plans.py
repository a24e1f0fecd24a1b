"""What happens in one schedule, drawn from one number: who says what when, and what goes wrong."""

import random
from dataclasses import dataclass, field

from bot.domain.conversation import Conversation
from tests.acceptance.proof.chats import Weather

FLAVOURS = ("slack", "discord", "telegram")
WEATHERS = ("wait", "refused", "applied", "late")
MOMENTS = (
    ("arrival", 12), ("before the store", 90), ("after the store", 90), ("word", 90),
    ("post asked", 10), ("post done", 10), ("edit asked", 15), ("edit done", 15), ("find done", 2),
)  # fmt: skip
SPAN = 30.0  # seconds in which everything is said


@dataclass
class Saying:
    """One message of a person."""

    at: float
    room: int
    number: int  # in its room
    words: int  # of the answer
    script: tuple = ()  # what the model does, call by call: fine | error | stall | reset
    again: int = 0
    pair: bool = False

    @property
    def token(self):
        return f"{self.room}-{self.number}"


@dataclass
class Act:
    """Something else that a person or an operator does."""

    at: float
    kind: str  # stop | reset | delete | edit | sigterm | kill
    room: int = 0
    token: str = ""


@dataclass
class Plan:
    """One schedule."""

    name: str
    rooms: list = field(default_factory=list)  # Conversation by room number
    sayings: list = field(default_factory=list)
    acts: list = field(default_factory=list)
    kill_moments: set = field(default_factory=set)  # (what, n): when that happens the n-th time
    weather: dict = field(default_factory=dict)  # platform → [Weather]
    store: list = field(default_factory=list)  # (begins, ends, "busy" | "full")
    silence: list = field(default_factory=list)  # (begins, ends): the model is down

    def faults(self):
        """Name what goes wrong here."""
        kinds = {act.kind for act in self.acts} | {kind for *_, kind in self.store}
        kinds |= {weather.kind for some in self.weather.values() for weather in some}
        kinds |= {what for saying in self.sayings for what in saying.script} - {"fine"}
        return sorted(kinds | ({"kill"} if self.kill_moments else set()))


def draw(seed, number):
    """Draw schedule `number` of a seed."""
    dice = random.Random(f"{seed}/{number}")
    plan = Plan(f"{seed}/{number}")
    flavours = dice.sample(FLAVOURS, dice.choice((1, 1, 2)))
    for room in range(dice.randint(2, 4)):
        thread = dice.choice(("", "7"))
        plan.rooms.append(Conversation(platform=dice.choice(flavours), workspace="W",
                                       channel=f"C{room}", thread=thread))  # fmt: skip
    _say(plan, dice)
    for fault in dice.sample(list(FAULTS), dice.randint(1, 4)):
        FAULTS[fault](plan, dice)
    return plan


def _say(plan, dice):
    numbers = [0] * len(plan.rooms)
    haste = dice.choice((0.2, 1.0, 1.0))
    for at in sorted(dice.uniform(0.0, SPAN * haste) for _ in range(dice.randint(3, 10))):
        room = dice.randrange(len(plan.rooms))
        words = dice.choice((3, 12, 12, 60))
        plan.sayings.append(Saying(at=at, room=room, number=numbers[room], words=words))
        numbers[room] += 1


def _kills(plan, dice):
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.3:
            plan.acts.append(Act(at=dice.uniform(0.0, SPAN), kind="kill"))
        else:
            what, most = dice.choice(MOMENTS)
            plan.kill_moments.add((what, dice.randint(1, most)))


def _again(plan, dice):
    for saying in dice.sample(plan.sayings, dice.randint(1, 3)):
        saying.again, saying.pair = dice.randint(0, 4), dice.random() < 0.5


def _weather(plan, dice):
    for name in sorted({room.platform for room in plan.rooms}):
        for _ in range(dice.randint(1, 3)):
            begins = dice.uniform(0.0, SPAN)
            plan.weather.setdefault(name, []).append(Weather(
                kind=dice.choice(WEATHERS), begins=begins,
                ends=begins + dice.choice((1.0, 5.0, 20.0, 90.0)),
                likely=dice.choice((0.2, 0.5, 1.0)),
            ))  # fmt: skip


def _gasps(plan, dice):
    """A request that lands after the death of the process that sent it."""
    for name in sorted({room.platform for room in plan.rooms}):
        begins = dice.uniform(0.0, SPAN)
        plan.weather.setdefault(name, []).append(Weather("late", begins, begins + 15.0, 0.7))
    plan.kill_moments |= {("post late", dice.randint(1, 3)), ("edit done", dice.randint(1, 9))}


def _model(plan, dice):
    for saying in dice.sample(plan.sayings, dice.randint(1, 3)):
        saying.script = tuple(dice.choices(("fine", "error", "stall", "reset"), k=2))
    if dice.random() < 0.2:
        begins = dice.uniform(0.0, SPAN)
        plan.silence.append((begins, begins + 10.0))


def _store(plan, dice):
    begins = dice.uniform(0.0, SPAN)
    for _ in range(dice.randint(1, 2)):
        ends = begins + dice.choice((0.5, 3.0, 10.0))
        plan.store.append((begins, ends, dice.choice(("busy", "full"))))
        begins = ends + dice.uniform(0.5, 5.0)


def _commands(plan, dice):
    for _ in range(dice.randint(1, 3)):
        kind, room = dice.choice(("stop", "stop", "reset")), dice.randrange(len(plan.rooms))
        plan.acts.append(Act(at=_soon(plan, dice, room), kind=kind, room=room))


def _deletions(plan, dice):
    for saying in dice.sample(plan.sayings, dice.randint(1, 2)):
        at = saying.at + dice.choice((0.01, 0.5, 2.0, 20.0)) * dice.random()
        plan.acts.append(Act(at=at, kind="delete", room=saying.room, token=saying.token))


def _edits(plan, dice):
    for saying in dice.sample(plan.sayings, dice.randint(1, 2)):
        at = saying.at + dice.choice((0.01, 0.5, 2.0, 20.0)) * dice.random()
        plan.acts.append(Act(at=at, kind="edit", room=saying.room, token=saying.token))


def _sigterm(plan, dice):
    plan.acts.append(Act(at=dice.uniform(0.0, SPAN), kind="sigterm"))


def _soon(plan, dice, room):
    """Choose a time at which something is likely to run in a room."""
    times = [saying.at for saying in plan.sayings if saying.room == room] or [SPAN / 2]
    return dice.choice(times) + dice.uniform(0.0, 3.0)


FAULTS = {
    "kills": _kills, "more kills": _kills, "redelivery": _again, "gasps": _gasps, "weather": _weather, "model": _model,
    "store": _store, "commands": _commands, "deletions": _deletions, "edits": _edits, "sigterm": _sigterm,
}  # fmt: skip
