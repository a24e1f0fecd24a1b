"""Routes by meaning: the nearest example wins, if it is near enough."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.chains import RouteSettings
from bot.domain.dialogue import Prompt
from bot.domain.routing import Choice
from bot.domain.vectors import likeness
from bot.ports.embedder import Embedder, Texts

LONGEST_QUESTION = 2000  # characters that are embedded: an embedder reads no more of it anyway


@dataclass(slots=True)
class ByExamples:
    """Compares questions with the examples of routes; these are embedded once."""

    embedder: Embedder
    _known: dict[str, bytes] = field(default_factory=dict)

    async def choose(self, prompt: Prompt, routes: Sequence[RouteSettings], least: float) -> Choice:
        """Return the route of the nearest example; none when it is less near than `least`.

        Raises:
            ModelError, OverBudget: as the embedder does.
        """
        await self._learn([example for route in routes for example in route.examples])
        asked = Texts(
            texts=(prompt.lines[-1].text[:LONGEST_QUESTION],), kind="query",
            person=prompt.person, conversation=prompt.conversation,
        )  # fmt: skip
        (question,) = await self.embedder.embed(asked)
        nearest = await asyncio.to_thread(_nearest, question, routes, self._known)
        if nearest is None:
            return Choice(why="there is no example")
        score, name = nearest
        score = round(score, 3)
        if score < least:
            return Choice(why=f"{name!r} was nearest, and not near enough", score=score)
        return Choice(route=name, why="the nearest example", score=score)

    async def _learn(self, examples: Sequence[str]) -> None:
        """Embed what is new, at the operator's expense."""
        new = tuple(dict.fromkeys(text for text in examples if text not in self._known))
        if new:
            vectors = await self.embedder.embed(Texts(texts=new, kind="query"))
            self._known |= dict(zip(new, vectors, strict=True))


def _nearest(
    question: bytes, routes: Sequence[RouteSettings], known: Mapping[str, bytes]
) -> tuple[float, str] | None:
    """Return the best score with its route; of equals the one that stands first."""
    scores = [
        (likeness(question, known[example]), -number, route.name)
        for number, route in enumerate(routes)
        for example in route.examples
    ]
    best = max(scores, default=None)
    return (best[0], best[2]) if best else None
