"""`parley init`: a few questions, then a short configuration that `parley check` accepts."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from bot.cli.late import late
from bot.cli.options import config_option
from bot.domain.errors import ConfigError

T = TypeVar("T")
platforms = late("bot.app.platforms:platforms")
url_problems = late("bot.backends.openai.settings:url_problems")
DEFAULT = Path("config.toml")
ACCESS = {  # who writes → what [access] says
    "team": """\
[access]                         # a team: only people and places that are named here
dm_policy = "pairing"            # others hear how to be let in
group_policy = "allowlist"
#allow = ["telegram::42", "discord:GUILD"]  # people, channels, servers; /whoami tells their names
""",
    "community": """\
[access]                         # a community: everybody, in the open
dm_policy = "disabled"           # direct messages: from admins only
group_policy = "open"
""",
    "customers": """\
[access]                         # customers: everybody, each in a direct message
dm_policy = "open"
group_policy = "allowlist"       # groups only where you say so
#allow = ["slack:T012:C345"]     # channels of your own staff, for example
""",
}
SLACK_TEAM = """
[channels.slack.access]          # on Slack the whole workspace is the team
dm_policy = "open"
group_policy = "open"
"""
STRANGERS = """
[moderation]                     # of what strangers say to the bot, and of what it says
provider = "local"               # needs no key; for a week it only notes what it finds, then acts
#channel = "slack:T012:C999"     # where your moderators hear of it and decide

[budgets]
rate_per_minute = 20             # messages of one person
[budgets.per_person]
messages = 100                   # a day; further ones hear when they may go on
"""
STAFF = """
[handover]                       # a way to a person
#channel = "slack:T012:C999"     # where your staff reads and answers, on any platform you enabled
#hours = ["mon-fri 09:00-18:00"] # when somebody is there; without it always
"""
HEAD = """\
# Written by `parley init`. Every other setting, with its default and why one would change it, is in
# config.example.toml, in the sources. Tokens do not belong here but into the environment.

config_version = 1
"""
BOT = """
[bot]
name = "Parley"
#admins = ["telegram::42"]       # may do everything everywhere; /whoami tells your own name
"""
MODELS: Mapping[str, tuple[tuple[str, str], ...]] = {  # which model → variables and their values
    "openai": (("OPENAI_API_KEY", "the key of your OpenAI account"),),
    "compatible": (("OPENAI_API_KEY", "the key of your server, if it wants one"),),
    "none": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was asked for."""

    platforms: tuple[str, ...]
    audience: str
    model: Mapping[str, str]
    model_variables: tuple[tuple[str, str], ...]


class Questions:
    """Asks, or takes every default without asking."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def ask(self, text: str, default: str | None, convert: Callable[[str], T]) -> T:
        """Return the converted answer; asks again until there is one that can be converted."""
        if self._silent and default is not None:
            return convert(default)
        answer: T = click.prompt(
            text, default=default, value_proc=convert, show_default=bool(default)
        )
        return answer

    def choose(self, text: str, choices: Iterable[str]) -> str:
        """Return one of several words; the first is the default."""
        words = tuple(choices)
        return self.ask(f"{text} ({', '.join(words)})", words[0], lambda word: _one_of(words, word))


@click.command()
@config_option
@click.option("--yes", is_flag=True, help="Ask nothing: Telegram, a team, OpenAI.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path | None, yes: bool, force: bool) -> None:
    """Write a short configuration after a few questions."""
    path = path or DEFAULT
    if path.exists() and not force:
        raise ConfigError(
            f"{path}: is there already; --force overwrites it, --config names another"
        )
    answers = asked(Questions(silent=yes))
    try:
        path.touch()
        path.chmod(0o600)  # before anything stands in it
        path.write_text(written(answers), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    click.echo("\n".join(next_steps(path, answers)))


def asked(questions: Questions) -> Answers:
    """Ask everything."""
    known = tuple(name for name in platforms() if name != "console")
    chosen = questions.ask(
        f"Where do people talk? ({', '.join(known)}; commas between several)",
        "telegram",
        lambda answer: tuple(_one_of(known, name) for name in answer.split(",")),
    )
    audience = questions.choose("Who writes to the bot?", ACCESS)
    kind = questions.choose("Which language model? With none it quotes documents.", MODELS)
    return Answers(
        platforms=tuple(dict.fromkeys(chosen)),
        audience=audience,
        model=_model(questions, kind),
        model_variables=MODELS[kind],
    )


def written(answers: Answers) -> str:
    """Return the text of the file."""
    model = "".join(f"{name} = {_quoted(value)}\n" for name, value in answers.model.items())
    adapters = "".join(f"\n[adapters.{name}]\nenabled = true\n" for name in answers.platforms)
    workspace = answers.audience == "team" and "slack" in answers.platforms
    access = ACCESS[answers.audience] + (SLACK_TEAM if workspace else "")
    strangers = "" if answers.audience == "team" else STRANGERS
    staff = STAFF if answers.audience == "customers" else ""
    return f"{HEAD}\n[models.main]\n{model}{adapters}\n{access}{strangers}{staff}{BOT}"


def next_steps(path: Path, answers: Answers) -> list[str]:
    """Return lines that say what is left to do."""
    known = platforms()
    variables = [*answers.model_variables]
    for name in answers.platforms:
        secrets = known[name].secrets(known[name].settings())
        variables += [(secret.variable, secret.hint) for secret in secrets]
    width = max((len(name) for name, _ in variables), default=0)
    option = "" if path == DEFAULT else f" --config {path}"
    return [
        f"{path} is written. Now put these into the environment:",
        "",
        *(f"  {name.ljust(width)}  {hint}" for name, hint in variables),
        "",
        *(f"`parley manifest {name}` prints how to set it up there." for name in answers.platforms),
        f"`parley knowledge add PATH{option}` gives it documents to answer from.",
        f"Then `parley check{option}` tells whether all is well, and `parley run{option}` starts.",
        "Write `/whoami` to it (Slack: `/parley whoami`) and put your name under `admins`.",
    ]


def _model(questions: Questions, kind: str) -> dict[str, str]:
    if kind == "none":
        what = (
            "Which Markdown file does it quote, or folder of them? (none: a demo, till you add any)"
        )
        folder = questions.ask(what, "", _there)
        return {"kind": "documents", **({"documents": folder} if folder else {})}
    if kind == "openai":
        name = questions.ask("Which model of OpenAI?", "gpt-6-luna", _name)
        return {"kind": "openai", "model": name}
    url = questions.ask("What is the server's address?", "http://127.0.0.1:11434/v1", _url)
    name = questions.ask("What does it call the model?", None, _name)
    return {"kind": "openai", "base_url": url, "model": name}


def _one_of(words: tuple[str, ...], answer: str) -> str:
    word = answer.strip().lower()
    if word not in words:
        raise click.BadParameter(f"{answer!r} is not known; write {' or '.join(words)}")
    return word


def _name(answer: str) -> str:
    if not answer.strip():
        raise click.BadParameter("is empty; name the model as its server does")
    return answer.strip()


def _url(answer: str) -> str:
    url = answer.strip()
    if found := url_problems(url):
        raise click.BadParameter(found[0])
    return url


def _there(answer: str) -> str:
    if answer and not Path(answer).exists():
        raise click.BadParameter(f"{answer}: there is no such file or folder")
    return answer


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # what JSON escapes, TOML reads back
