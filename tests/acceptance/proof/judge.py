"""The history checker: what must hold after every schedule, whatever went wrong in it."""

import itertools
import re
from collections import Counter

from bot.core import sentences
from bot.domain.events import MessageDeleted, MessageEdited, MessageReceived
from tests.acceptance.proof.chats import PLACEHOLDER
from tests.acceptance.proof.minds import TOKEN, pieces

CUT = {sentences.INTERRUPTED: {"stall", "reset"}, sentences.STOPPED: {"stop", "sigterm", "delete"}}
NEVER = float("inf")
UNSTORED = MessageDeleted | MessageEdited  # they change what is stored, if there is something


def judge(world):
    """Return what is wrong, one sentence each."""
    if world.complaints:
        return list(world.complaints)
    return [*Verdict(world).found()]


class Verdict:
    """Compares what people wrote with what they see and what the store holds."""

    def __init__(self, world):
        self.world, self.plan = world, world.plan
        self.rows = world.rows("select id, event, lane, epoch, state from inbox order by id")
        self.lines = world.rows("select event, role, text, memory, id from lines order by id")
        self.epochs = dict(world.rows("select key, epoch from memories"))
        self.acts = {(act.kind, act.room) for act in self.plan.acts}
        self.deletions = dict(self._deletions())
        self.deleted = {event for event, taken in self.deletions.items() if taken < NEVER}
        self.edited = {act.token for act in self.plan.acts if act.kind == "edit"}
        self.bubbles = {}
        for chat in world.chats.values():
            for bubble in chat.shown.values():
                self.bubbles.setdefault((bubble.lane, bubble.question), []).append(bubble)

    def found(self):
        """Check everything."""
        yield from self._stored()
        for id, letter in self.world.letters.items():
            if isinstance(letter.event, MessageReceived):
                yield from self._answer(letter)
            elif not isinstance(letter.event, UNSTORED):
                yield from self._command(id, letter)
        yield from self._order()
        yield from self._memory()
        yield from self._prompts()

    # ---- the store

    def _stored(self):
        known = {event for _, event, *_ in self.rows}
        for id, letter in self.world.letters.items():
            gone = id in self.deletions  # what was deleted before it was stored need not be
            concerns = not (gone or isinstance(letter.event, UNSTORED))
            if letter.accepted and id not in known and concerns:
                yield f"{id} was acknowledged and is not stored"
        for table in ("steps", "parts", "letters", "timers"):
            left = self.world.rows(f"select * from {table}")
            if left:
                yield f"{table} is not empty: {left}"
        for _, event, _, _, state in self.rows:
            if state not in ("done", "declined"):
                yield f"{event} ended as {state}"

    # ---- the eye

    def _answer(self, letter):
        event = letter.event
        shown = self._shown(event)
        text = " ".join(bubble.text for bubble in shown)
        saying = self.world.saying(event.message)
        if event.id in self.deletions and not shown:
            return
        if sorted(bubble.index for bubble in shown) != list(range(len(shown))):
            yield f"{event.id}: parts {[(b.id, b.index, b.text) for b in shown]}"
        elif not shown:
            yield f"{event.id} has no answer"
        elif not any(self._fits(token, saying, _words(text)) for token in self._versions(event)):
            yield f"{event.id} shows {text!r}"

    def _versions(self, event):
        """Return what may be answered: the text as it was edited last, if that was surely heard."""
        edits = [letter for letter in self.world.letters.values()
                 if isinstance(letter.event, MessageEdited) and letter.event.message == event.message]  # fmt: skip
        told = self.world.letters[event.id].answers
        heard = [edit for edit in edits
                 if edit.answers and told and told[0][0] <= edit.answers[0][0]]  # fmt: skip
        after = [f"{event.message}v2"] if edits else []
        sure = heard and ("reset", self.world.saying(event.message).room) not in self.acts
        return after if sure else [event.message, *after]

    def _fits(self, token, saying, text):
        """Whether an answer is whole, or says that it is not and had a reason."""
        whole = _words("".join(pieces(token, saying.words)))
        if text == whole:
            return True
        if text.startswith(_words(sentences.MODEL_DOWN.partition("{")[0])):
            return bool({"error", "stall"} & set(saying.script) or self.plan.silence)
        for ending, reasons in CUT.items():
            if text.endswith(_words(ending)):
                begun = text.removesuffix(_words(ending)).strip()
                acts = {
                    kind for kind, room in self.acts if kind == "sigterm" or room == saying.room
                }
                return whole.startswith(begun) and bool(reasons & (acts | set(saying.script)))
        return False

    def _command(self, id, letter):
        shown = self._shown(letter.event)
        answered = "stop" in id or shown
        if not letter.lost and (len(shown) > 1 or not answered):
            yield f"{id} was answered by {[b.text for b in shown]}"

    def _shown(self, event):
        """Return the messages that answer an event; a placeholder that was left is none."""
        bubbles = self.bubbles.get((str(event.conversation), event.message), [])
        return [bubble for bubble in bubbles if bubble.text != PLACEHOLDER]

    def _order(self):
        """Within a lane no answer begins before the one before it is complete."""
        for lane in {lane for _, _, lane, *_ in self.rows}:
            ended, before = 0.0, ""
            for _, event, _, _, _ in (row for row in self.rows if row[2] == lane):
                letter = self.world.letters.get(event)
                if letter is None or event[1:] in self.edited or event[:1] != "m":
                    continue
                looks = [at for bubble in self._shown(letter.event)
                         for at, text in bubble.history if text != PLACEHOLDER]  # fmt: skip
                if looks and min(looks) < ended:
                    yield f"{event} began at {min(looks):.3f}, {before} ended at {ended:.3f}"
                ended, before = max([ended, *looks]), event

    # ---- memory

    def _memory(self):
        epochs = {event: (epoch, state) for _, event, _, epoch, state in self.rows}
        roles = Counter((event, role) for event, role, *_ in self.lines)
        for (event, role), count in roles.items():
            if count > 1:
                yield f"memory holds {count} lines ({role}) of {event}"
        for event, role, text, memory, _ in self.lines:
            if event in self.deleted:
                yield f"memory holds {role} of {event}, which was deleted"
            elif epochs[event][0] != self.epochs.get(memory, 0):
                yield f"memory holds {event}, which was forgotten"
            elif str(self.world.letters[event].event.conversation) != memory:
                yield f"memory {memory} holds {event}"
            elif role == "user" and _plain(*TOKEN.findall(text)) != event[1:]:
                yield f"memory of {event} says {text!r}"
        for _, event, lane, epoch, state in self.rows:
            changed = event in self.deletions or event[1:] in self.edited
            expected = state == "done" and event.startswith("m") and not changed
            if expected and epoch == self.epochs.get(lane, 0) and roles[event, "assistant"] != 1:
                yield f"memory has not the exchange of {event}"

    def _deletions(self):
        """Yield every deletion that was begun: event id and when the bot surely had taken it.

        One that overtakes its message, which a platform sends again, finds nothing to delete.
        """
        for letter in self.world.letters.values():
            if isinstance(letter.event, MessageDeleted):
                taken = letter.answers[0][0] if letter.answers else NEVER
                for message in letter.event.messages:
                    told = self.world.letters[f"m{message}"].answers
                    known = bool(told) and told[0][0] <= taken
                    yield f"m{message}", taken if known else NEVER

    def _prompts(self):
        positions = {event[1:]: id for id, event, *_ in self.rows if event.startswith("m")}
        for call in self.world.mind.calls:
            if any(token.split("-")[0] != call.token.split("-")[0] for token in call.asked):
                yield f"{call.token} was asked with another room's lines: {call.asked}"
            asked = [_plain(token) for token in (*call.asked, call.token)]
            order = [positions.get(token, 0) for token in asked]
            swapped = any(b <= a for a, b in itertools.pairwise(order))
            changed = any(_plain(token) in self.edited for token in asked)  # it moves to the end
            if len(set(asked)) < len(asked) or (swapped and not changed):
                yield f"{call.token} was asked behind {call.asked}"
            if any(count > 1 for said, count in Counter(call.said).items() if said != "?"):
                yield f"{call.token} was asked behind the answers {call.said}"
            late = [
                token
                for token in call.asked
                if self.deletions.get(f"m{token}", NEVER) < call.at - 1.0
            ]
            if late:
                yield f"{call.token} was asked with {late}, deleted before"


def _plain(token):
    """Name a message whatever its version."""
    return token.partition("v")[0]


def _words(text):
    """Compare words, not the white space at which messages are split."""
    return re.sub(r"\s+", "", text)
