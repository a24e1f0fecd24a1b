"""What is wrong with [budgets]: limits that answer nobody, and money that nothing costs."""

from collections.abc import Iterator

from bot.backends.openai.settings import OpenAISettings
from bot.config.sections import Config


def problems(config: Config) -> Iterator[str]:
    """Yield one line per problem."""
    budgets = config.budgets
    if budgets.rate_per_minute < 0:
        yield f"budgets.rate_per_minute: {budgets.rate_per_minute} is below 0; 0 is any number"
    for rule in budgets.rules():
        if not rule.most > 0:
            yield (
                f"budgets.{rule.scope}.{rule.unit}: {rule.most:g} a {rule.period} would leave "
                "every message unanswered; leave it out for no limit"
            )
    paid = [rule for rule in budgets.rules() if rule.unit == "usd"]
    if paid and not any(map(_priced, config.models.values())):
        yield (
            f"budgets.{paid[0].scope}.usd: no model has a price, so nothing would ever count; "
            "set price_input and price_output of your model"
        )


def _priced(settings: object) -> bool:
    return isinstance(settings, OpenAISettings) and bool(
        settings.price_input or settings.price_output
    )
