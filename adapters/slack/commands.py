"""The one slash command of the manifest and what people write behind it.

Slack shows slash commands only from the app's manifest, and they collide between apps: so there is
`/parley <name> <words>` and nothing to publish over the API.
"""

SLASH = "/parley"


def parse(command: str, text: str) -> tuple[str, str]:
    """Return name and words of a slash command; without a name it is `help`.

    Args:
        command: as Slack sends it, `/parley`; any other one that an operator declared in the
            manifest names the command itself (`/reset`).
        text: what was written behind it.
    """
    if command and command != SLASH:
        return _name(command), text.strip()
    name, _, words = text.strip().partition(" ")
    return _name(name or "help"), words.strip()


def _name(word: str) -> str:
    return word.lstrip("/").lower().replace("-", "_")
