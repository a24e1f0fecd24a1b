"""One model's words for one question: the prompt, the stream, and what to say when it fails."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.core import sentences
from bot.core.composing import Composing
from bot.core.draft import Draft
from bot.core.journal import TurnJournal, reference_of
from bot.domain.errors import ContextTooLong, Declined, ModelError, ModelRefused
from bot.domain.events import MessageReceived
from bot.domain.policy import Policy
from bot.domain.replies import Usage
from bot.ports.model import Model
from bot.ports.store import Turn

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Speaking:
    """Asks the model that a policy names."""

    composing: Composing
    models: Mapping[str, Model]
    price: Callable[[Usage], float]  # USD
    timeout_s: float
    rooms: Mapping[str, int] = field(default_factory=dict)  # tokens of prompt by model, if limited

    async def words(
        self, event: MessageReceived, policy: Policy, journal: TurnJournal, draft: Draft
    ) -> AsyncGenerator[str, None]:
        """Yield the answer as it comes; afterwards `draft.ended` says how it ended.

        Raises:
            Declined: no model answers; the sentence says what to do.
        """
        turn = draft.turn
        budget, noted = self._budget(policy), False
        for last in (False, True):  # a prompt that is too long is halved, once
            composed = await self.composing.compose(turn, event, policy, budget=budget)
            budget = min(budget // 2, composed.half)
            if composed.note and not noted:
                noted = True
                yield composed.note
            draft.asks(policy.model, composed.prompt)
            journal.asked(draft.estimate(), self.price(draft.estimate()))
            stream = self.models[policy.model].stream(composed.prompt)
            try:
                async with aclosing(draft.words(stream, self.timeout_s)) as words:
                    async for piece in words:
                        yield piece
            except ContextTooLong as error:
                log.warning("%s: %s", turn.lane, error)
                if last:
                    raise Declined(sentences.TOO_LONG) from error
            except ModelError as error:
                raise _apology(turn, error) from error
            else:
                return

    def _budget(self, policy: Policy) -> int:
        """Return the tokens for memory and question: the policy's, or what the model has left."""
        room = self.rooms.get(policy.model)
        if room is None:
            return policy.memory.max_tokens
        return min(policy.memory.max_tokens, max(room - len(policy.system_prompt.encode()), 0))


def _apology(turn: Turn, error: ModelError) -> Declined:
    """Tell the operator what is wrong, and the person what to do; one reference joins the two."""
    reference = reference_of(turn.event.id)
    log.error("%s: reference %s: %s", turn.lane, reference, error)
    refused = isinstance(error, ModelRefused)
    sentence = sentences.MODEL_REFUSED if refused else sentences.MODEL_DOWN
    return Declined(sentence.format(reference=reference))
