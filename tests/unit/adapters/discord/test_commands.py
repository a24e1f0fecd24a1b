"""The catalogue in Discord's shape."""

from adapters.discord.commands import publish, render
from bot.domain.commands import Command, Option
from bot.domain.errors import Unreachable

RESET = Command(name="reset", about="Forget.", aliases=("new",))
MODEL = Command(
    name="model",
    about="w" * 120,
    rank="admin",
    options=(
        Option(name="where", about="Which channel?"),
        Option(name="name", about="Which?", required=True, choices=tuple("abc")),
    ),
)


def test_a_command_is_a_chat_command_with_textual_options_required_ones_first():
    (model,) = render((MODEL,))
    assert (model["name"], model["type"], len(model["description"])) == ("model", 1, 100)
    assert [(o["name"], o["type"], o["required"]) for o in model["options"]] == [
        ("name", 3, True), ("where", 3, False),
    ]  # fmt: skip
    assert model["options"][0]["choices"] == [{"name": c, "value": c} for c in "abc"]
    assert "choices" not in model["options"][1]


def test_an_alias_is_a_command_of_its_own():
    assert [command["name"] for command in render((RESET,))] == ["reset", "new"]


def test_more_choices_than_discord_takes_are_left_out():
    many = Option(name="o", about="o", choices=tuple(str(n) for n in range(40)))
    (command,) = render((Command(name="c", about="c", options=(many,)),))
    assert len(command["options"][0]["choices"]) == 25


class Registry:
    """Discord's side of the two calls."""

    def __init__(self, known):
        self.known = known
        self.puts = 0

    async def call(self, method, path, *, json=None, **ids):
        assert ids == {"application_id": "4000"}
        if method == "PUT":
            self.puts += 1
            self.known = [{**command, "id": "1", "version": "2"} for command in json]
        return self.known


async def test_commands_are_sent_only_when_they_differ():
    registry = Registry([])
    await publish(registry.call, "4000", (MODEL, RESET))
    await publish(registry.call, "4000", (RESET, MODEL))
    assert registry.puts == 1
    await publish(registry.call, "4000", (RESET,))
    assert registry.puts == 2


async def test_a_failure_is_no_error(caplog):
    async def call(*_, **__):
        raise Unreachable("Discord did not answer")

    await publish(call, "4000", (RESET,))
    assert "could not be registered: Discord did not answer" in caplog.text
