"""Routes by words, as `bot.core.words` finds them."""

from collections.abc import Sequence

from bot.core.words import stands_in
from bot.domain.chains import RouteSettings
from bot.domain.routing import Choice


def by_rules(question: str, routes: Sequence[RouteSettings]) -> Choice:
    """Return the first route of which a word stands in the question."""
    for route in routes:
        for word in route.words:
            if stands_in(word, question):
                return Choice(route=route.name, why=f"the word {word!r}")
    return Choice(why="no word of a route")
