"""What people do, and what happens to the bot, put on the clock of a world."""

from bot.domain.conversation import Person
from bot.domain.events import CommandGiven, MessageDeleted, MessageEdited, MessageReceived
from tests.acceptance.proof.doors import Letter
from tests.acceptance.proof.minds import question
from tests.acceptance.proof.virtual import EPOCH


class Script:
    """Puts what people do, and what happens to the bot, on the clock."""

    def __init__(self, world):
        self.world, self.plan, self.last = world, world.plan, 0.0

    def begin(self):
        """Put everything on the clock; returns when the last of it happens."""
        plan, world = self.plan, self.world
        for saying in plan.sayings:
            world.sayings[saying.token] = saying
            self._at(saying.at, self._say, saying)
        for act in plan.acts:
            self._at(act.at, getattr(self, f"_{act.kind}"), act)
        for begins, ends, kind in plan.store:
            self._at(begins, self._store, kind, True)
            self._at(ends, self._store, kind, False)
        windows = [
            *plan.silence,
            *((w.begins, w.ends) for some in plan.weather.values() for w in some),
        ]
        return max([self.last, *(ends for _, ends in windows)])

    def _at(self, when, function, *args):
        self.last = max(self.last, when)
        self.world.loop.outside(when, function, *args)

    def _say(self, saying):
        event = MessageReceived(
            **self._common(saying.room, f"m{saying.token}"), author=self._author(saying.room),
            text=question(saying.token), message=saying.token, addressed=True,
        )  # fmt: skip
        self._drop(event, again=saying.again, pair=saying.pair)

    def _stop(self, act):
        self._command("stop", act)

    def _reset(self, act):
        self._command("reset", act)

    def _retry(self, act):
        self._command("retry", act)

    def _command(self, name, act):
        common = self._common(act.room, f"{name}{act.room}@{act.at:.6f}")
        self._drop(
            CommandGiven(**common, author=self._author(act.room), name=name, message=common["id"])
        )

    def _delete(self, act):
        if f"m{act.token}" in self.world.letters:
            common = self._common(act.room, f"d{act.token}@{act.at:.6f}")
            self._drop(MessageDeleted(**common, messages=(act.token,)))

    def _edit(self, act):
        if f"m{act.token}" in self.world.letters:
            self._drop(MessageEdited(
                **self._common(act.room, f"e{act.token}@{act.at:.6f}"), message=act.token,
                author=self._author(act.room), text=question(f"{act.token}v2"),
            ))  # fmt: skip

    def _kill(self, act):
        self.world.kill("a time")

    def _sigterm(self, act):
        self.world.say("SIGTERM", "")
        self.world.stop.set()

    def _store(self, kind, begins):
        self.world.say("store", f"{kind} {'begins' if begins else 'ends'}")
        if kind == "full":
            self.world.disk.full = begins
        elif begins:
            self.world.lock()
        else:
            self.world.unlock()

    def _common(self, room, id):
        return {"id": id, "at": EPOCH + self.world.loop.now, "conversation": self.plan.rooms[room]}

    def _author(self, room):
        return Person(platform=self.plan.rooms[room].platform, user=f"u{room}", name=f"U{room}")

    def _drop(self, event, **more):
        letter = Letter(event, 0, self.world.loop.now, **more)
        self.world.letters[event.id] = letter
        self.world.say("people", f"{type(event).__name__} {event.id} in {event.conversation}")
        self.world.doors[event.conversation.platform].drop(letter)
