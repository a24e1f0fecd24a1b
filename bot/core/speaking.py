"""One model's words for one question: the prompt, the stream, and what to say when it fails."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.chains import Chains, KeptSteps
from bot.core.citing import Citing
from bot.core.composing import NOTHING, Composing, Given
from bot.core.doorway import Doorway
from bot.core.draft import Draft
from bot.core.journal import TurnJournal, reference_of
from bot.core.outgoing import Outgoing
from bot.domain.commands import slash
from bot.domain.dialogue import Delta
from bot.domain.errors import ContextTooLong, Declined, ModelError, ModelRefused
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.ports.store import Turn

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Speaking:
    """Asks the model that a policy names."""

    composing: Composing
    chains: Chains
    timeout_s: float
    outgoing: Callable[[Policy], Outgoing]  # what may leave, for one answer
    rooms: Mapping[str, int] = field(default_factory=dict)  # tokens of prompt by model, if limited
    doorway: Doorway = field(default_factory=Doorway)  # through which turns come here

    async def words(
        self,
        event: MessageReceived,
        policy: Policy,
        draft: Draft,
        journal: TurnJournal,
        given: Given = NOTHING,
    ) -> AsyncGenerator[str, None]:
        """Yield the answer as it comes; afterwards `draft.ended` says how it ended.

        Raises:
            Declined: no model answers; the sentence says what to do.
        """
        turn = draft.turn
        keeping = KeptSteps(journal, turn, [passage.id for passage in given.grounds.passages])
        keeping.note("model", policy.model)
        keeping.note("persona", policy.persona)
        budget, noted = self._budget(policy), False
        for last in (False, True):  # a prompt that is too long is halved, once
            composed = await self.composing.compose(turn, event, policy, given, budget=budget)
            if composed.note and not noted:
                noted = True
                yield composed.note
            keeping.note("memory", {"kind": policy.memory.kind, "lines": composed.remembered})
            draft.asks(policy.model, composed.prompt)
            self.doorway.leave(turn.id)
            draft.citing = Citing(composed.prompt.grounds.passages)
            stream = self.chains.speaker(policy, keeping).stream(composed.prompt)
            try:
                async with aclosing(self._leaving(draft, stream, policy)) as words:
                    async for piece in words:
                        yield piece
            except ContextTooLong as error:
                log.warning("%s: %s", turn.lane, error)
                if last:
                    here = slash(turn.event.conversation.platform)
                    raise Declined(sentences.TOO_LONG.format(slash=here)) from error
                budget = min(budget // 2, composed.half)
            except ModelError as error:
                raise _apology(turn, error) from error
            else:
                keeping.note("cited", [passage.id for passage in draft.citing.used])
                return

    async def _leaving(
        self, draft: Draft, stream: AsyncGenerator[Delta, None], policy: Policy
    ) -> AsyncGenerator[str, None]:
        """Pass on what may leave of a model's words."""
        outgoing = self.outgoing(policy)
        async with aclosing(draft.words(stream, self.timeout_s)) as words:
            async for piece in words:
                if said := draft.citing.feed(outgoing.feed(piece)):
                    yield said
                if outgoing.full:
                    draft.cut()
                    break
        if rest := draft.citing.feed(outgoing.close()) + draft.citing.close():
            yield rest
        if outgoing.leaked:
            log.warning(
                "%s: the answer recited the system prompt; it was left out", draft.turn.lane
            )

    def _budget(self, policy: Policy) -> int:
        """Return the tokens for memory and question: the policy's, or what the model has left."""
        room = min((self.rooms[name] for name in self.chains.used(policy) if name in self.rooms),
                   default=None)  # fmt: skip
        if room is None:
            return policy.memory.max_tokens
        return min(policy.memory.max_tokens, max(room - len(policy.system_prompt.encode()), 0))


def _apology(turn: Turn, error: ModelError) -> Declined:
    """Tell the operator what is wrong, and the person what to do; one reference joins the two."""
    reference = reference_of(turn.event.id)
    log.error("%s: reference %s: %s", turn.lane, reference, error)
    refused = isinstance(error, ModelRefused)
    sentence = sentences.MODEL_REFUSED if refused else sentences.MODEL_DOWN
    before = slash(turn.event.conversation.platform)
    return Declined(sentence.format(reference=reference, slash=before))
