"""Commands about what is kept of a person: to be told, to see it, to change it, to be forgotten."""

import json
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.core import sentences
from bot.core.buttons import Buttons
from bot.core.commands.desk import Known, Pressable, Reply, Request
from bot.core.forgetting import Forgetting
from bot.core.memory.facts import LONGEST, MOST, Knowing
from bot.core.notice import kept
from bot.core.policies import Policies
from bot.domain.commands import Command, Option
from bot.domain.errors import Declined
from bot.domain.policy import MemoryPolicy
from bot.domain.untrusted import roleless
from bot.ports.memory import Fact
from bot.ports.privacy import OwnLine, OwnLines

PRIVACY = Command(name="privacy", about="What I keep of you, where it goes, and your rights")
MEMORY = Command(
    name="memory",
    about="Show, change or delete what I remember of you here, or tell me about yourself",
    options=(
        Option(
            name="what",
            about="show, add, edit or forget",
            choices=("show", "add", "edit", "forget"),
        ),
        Option(name="number", about="Which line, as show numbers them; F1 is your first fact"),
        Option(name="text", about="The new text, for edit and add"),
    ),
)
EXPORT = Command(name="export", about="Everything that is stored about you, as JSON")
FORGET_ME = Command(
    name="forget_me",
    about="Delete everything that is stored about you",
    options=(Option(name="sure", about="yes", choices=("yes",)),),
)
LONGEST_EXPORT = 30_000  # characters: beyond it platforms end an answer to a command
CONFIRM_S = 600.0  # seconds for which the button to confirm works

TOLD = """\
**What I keep.** {kept}, on the machine that runs me, to answer you in context. Besides: when you \
used me and what it cost, rights you were given, what moderators decided, and for as long as my \
memory what you asked and I could not answer: those who run me see it, without your name. I store \
nothing that is not addressed to me.

**Where it goes.** {model} answers, so what you write to me goes there{judged}.{summed}{copy}

**Your rights.** `{slash}memory show` shows what I remember of you here, `{slash}memory edit` and \
`{slash}memory forget` change it. `{slash}export` gives you everything that is stored about you. \
`{slash}forget_me` deletes it.

**What forgetting cannot reach.** What other people wrote about you is not found by your name. \
Backups last until whoever runs me deletes them. Blocks, strikes and what you have spent stay \
under a number that does not name you; what you wrote in a moderation case that is still open \
stays until it is closed, at most 30 days. That a message came is known for 7 days, without its \
text.

**Questions.** {contact}"""
COPY = " {platform} keeps its own copy of every message; what I delete is not deleted there."
GUARDS = {
    "local": "a filter on this machine",
    "openai": "a moderation service",
    "judge": "a language model",
}
T = TypeVar("T")
ASK = (
    "This deletes everything that is stored about you, in all conversations, for good: what you "
    "wrote, my answers to it, your rights. {left} Are you sure? Press the button, or send "
    "`{slash}forget_me yes`."
)
LEFT = "`{slash}privacy` says what cannot be deleted."
DONE = "You are forgotten. What you write from now on is new to me."
ALMOST = (
    "You are forgotten. The last traces of yours in my files go within minutes, once answers that "
    "are being written have ended."
)
NOTHING = "I remember nothing of you here."
NO_LINE = "There is no line {number} of yours; `{slash}memory show` numbers them."
NOT_OWN = (
    "Line {number} is my answer. You can change what you wrote, as `{slash}memory show` numbers it."
)
USAGE = (
    "`{slash}memory show`, `{slash}memory add TEXT`, `{slash}memory edit NUMBER NEW TEXT`, "
    "`{slash}memory forget NUMBER`, or `{slash}memory forget` for all of it."
)
KNOWN = "I will keep that in mind {where}. `{slash}memory show` lists what you told me."
HERE, ALONE = "when you ask here", "when we talk alone, and nowhere else"
ENOUGH = "You told me {most} things already: `{slash}memory forget F1` makes room."
WORDY = "That is too much to keep in mind: at most {most} characters."
FACTS = "**What you want me to know:**"
TOO_LONG = (
    "What is stored about you has {length} characters, too many for a chat. Ask the person who "
    "runs me for `parley export {person}`: that writes it into a file."
)
PRIVATELY = "Ask me for that in a direct message: here everybody would read it."

Admitted = Callable[[Request, str], Awaitable[str]]  # what of a text may be kept; or Declined


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What a configuration says of where things go, for people."""

    contact: str
    where: Callable[[str], str]  # model → where it is
    discreet: Container[str]  # platforms on which only the asking person sees an answer


@dataclass(slots=True, kw_only=True)
class PrivacyCommands:
    """Lets people see and decide what is kept of them."""

    policies: Policies
    lines: OwnLines
    forgetting: Forgetting
    buttons: Buttons
    knowing: Knowing
    admitted: Admitted
    disclosure: Disclosure

    def known(self) -> tuple[Known, ...]:
        """Return this capability's commands; who may not talk here has rights all the same."""
        return (
            Known(PRIVACY, self.privacy, anywhere=True),
            Known(MEMORY, self.memory, anywhere=True),
            Known(EXPORT, self.export, anywhere=True),
            Known(FORGET_ME, self.forget_me, anywhere=True),
        )

    def pressables(self) -> tuple[Pressable, ...]:
        """Return this capability's buttons."""
        return (Pressable(action=FORGET_ME.name, run=self._forget, anywhere=True),)

    async def privacy(self, request: Request) -> str:
        """Tell what is kept, where it goes, and what a person can do about it."""
        policy = self.policies.resolve(request.event.conversation)
        guards = policy.moderation.guards
        here = request.event.conversation.platform
        contact = self.disclosure.contact or "Ask the person who runs me here"
        return TOLD.format(
            kept=kept(policy, private=request.event.private),
            model=self.disclosure.where(policy.model),
            summed=self._summed(policy.memory, policy.model),
            judged=f"; it is checked by {_listed(guards)}" if guards else "",
            copy="" if here == "console" else COPY.format(platform=here.capitalize()),
            slash=request.slash,
            contact=f"{contact.rstrip('.')}.",
        )

    def _summed(self, memory: MemoryPolicy, model: str) -> str:
        """Say where older lines go to be summed up, if that is somewhere else."""
        where = self.disclosure.where(memory.summary_model or model)
        if memory.kind != "summary" or where == self.disclosure.where(model):
            return ""
        return f" {where} sums up what was said longer ago."

    async def memory(self, request: Request) -> str:
        """Show, change or delete the lines of this conversation that are the person's own."""
        what, _, rest = request.argument.strip().partition(" ")
        run = {"": self._show, "show": self._show, "edit": self._edit, "forget": self._drop,
               "add": self._add}  # fmt: skip
        if what.lower() not in run:
            raise Declined(USAGE.format(slash=request.slash))
        return await run[what.lower()](request, rest.strip())

    async def export(self, request: Request) -> str:
        """Return everything that is stored about the person."""
        self._expect_privacy(request)
        found = await self.forgetting.privacy.export(request.person)
        if not found:
            return "Nothing is stored about you."
        text = json.dumps(found, ensure_ascii=False, indent=1)
        if len(text) > LONGEST_EXPORT:
            raise Declined(TOO_LONG.format(length=len(text), person=request.person))
        return f"```json\n{text.replace('```', '` ` `')}\n```"

    async def forget_me(self, request: Request) -> str | Reply:
        """Ask whether the person is sure; who says so at once is believed."""
        if request.argument.strip().lower() == "yes":
            return await self._forget(request)
        slash = request.slash
        text = ASK.format(slash=slash, left=LEFT.format(slash=slash))
        button = self.buttons.make(
            "Forget me", FORGET_ME.name, "", person=request.person, valid_s=CONFIRM_S
        )
        return Reply(text, (button,))

    async def _forget(self, request: Request) -> str:
        forgotten = await self.forgetting.forget(
            request.person, at=request.event.at, spare=request.turn.id, by=request.person
        )
        return DONE if forgotten.complete else ALMOST

    async def _show(self, request: Request, _: str) -> str:
        self._expect_privacy(request)
        own = await self._own(request)
        names = {"user": "you", "assistant": "I"}
        shown = [f"{n}. *{names[line.role]}:* {line.text}" for n, line in enumerate(own, 1)]
        facts = [f"F{n}. {fact.text}" for n, fact in enumerate(await self._facts(request), 1)]
        told = ["\n".join(shown), "\n".join((FACTS, *facts)) if facts else ""]
        return "\n\n".join(filter(None, told)) or NOTHING

    async def _add(self, request: Request, text: str) -> str:
        """Keep something about the person in mind."""
        self._expect_talker(request)
        text = await self._admitted(request, text)
        event = request.event
        if not await self.knowing.add(event, request.person, text):
            raise Declined(ENOUGH.format(most=MOST, slash=request.slash))
        return KNOWN.format(where=ALONE if event.private else HERE, slash=request.slash)

    async def _admitted(self, request: Request, text: str) -> str:
        """Return a text as it may be kept as a fact."""
        if not text.strip():
            raise Declined(USAGE.format(slash=request.slash))
        if len(text) > LONGEST:
            raise Declined(WORDY.format(most=LONGEST))
        return roleless(" ".join((await self.admitted(request, text)).split()))

    async def _facts(self, request: Request) -> Sequence[Fact]:
        return await self.knowing.of(request.event, request.person)

    async def _fact(self, request: Request, number: str) -> Fact | None:
        """Find a fact by its number; None when the number is that of a line."""
        if number[:1] not in ("f", "F"):
            return None
        return self._numbered(request, await self._facts(request), number[1:])

    async def _edit(self, request: Request, rest: str) -> str:
        """Change a line as if it had been written so: only who may talk here may do it."""
        self._expect_talker(request)
        number, _, text = rest.partition(" ")
        if not text.strip():
            raise Declined(USAGE.format(slash=request.slash))
        if fact := await self._fact(request, number):
            text = await self._admitted(request, text)
            await self.knowing.facts.rewrite(fact.id, request.person, text)
            return f"{number} is changed."
        line = self._numbered(request, await self._own(request), number)
        if line.role != "user":
            raise Declined(NOT_OWN.format(number=number, slash=request.slash))
        text = roleless((await self.admitted(request, text)).strip())
        if not await self.lines.rewrite(line.id, request.person, text):
            raise Declined(NO_LINE.format(number=number, slash=request.slash))
        self.forgetting.recall.forget()
        return f"Line {number} is changed."

    async def _drop(self, request: Request, number: str) -> str:
        if fact := await self._fact(request, number):
            await self.knowing.facts.rewrite(fact.id, request.person, "")
            return f"{number} is forgotten."
        own = await self._own(request)
        chosen = [self._numbered(request, own, number)] if number else own
        deleted = await self.lines.delete([line.id for line in chosen], request.person)
        self.forgetting.recall.forget()
        facts = () if number else await self._facts(request)
        gone = [await self.knowing.facts.rewrite(fact.id, request.person, "") for fact in facts]
        told = [f"{deleted} lines are deleted, the answers included."] if deleted else []
        told += [f"{sum(gone)} facts are forgotten."] if facts else []
        return " ".join(told) or NOTHING

    async def _own(self, request: Request) -> Sequence[OwnLine]:
        return await self.lines.read(self._memories(request), request.person)

    def _memories(self, request: Request) -> list[str]:
        """Name the memories that a command is about; Slack does not say in which thread it is."""
        place = request.event.conversation
        keys = [request.turn.memory]
        if place.platform == "slack" and not place.thread:
            keys += sorted(lane for lane in self.policies.joined if lane.startswith(str(place)))
        return keys

    def _numbered(self, request: Request, own: Sequence[T], number: str) -> T:
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= len(own)):
            raise Declined(NO_LINE.format(number=number, slash=request.slash))
        return own[int(number) - 1]

    def _expect_talker(self, request: Request) -> None:
        event = request.event
        may = self.forgetting.permissions.may
        if not may(event.author, "talk", event.conversation, private=event.private):
            raise Declined(sentences.NOT_HERE)

    def _expect_privacy(self, request: Request) -> None:
        event = request.event
        if not event.private and event.conversation.platform not in self.disclosure.discreet:
            raise Declined(PRIVATELY)


def _listed(guards: Sequence[str]) -> str:
    return " and ".join(GUARDS[guard] for guard in guards)
