"""`parley knowledge`: the documents that answers lean on."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import click

from bot.cli.late import late
from bot.cli.options import Group, config_option, found, json_option
from bot.cli.place import embedder_in, place_in

work = late("bot.cli.librarian:work")
show_json, show_table = late("bot.cli.printing:show_json"), late("bot.cli.printing:show_table")
ago, printable = late("bot.cli.printing:ago"), late("bot.cli.printing:printable")
readers = late("bot.cli.audience:readers")
surprises = late("bot.cli.audience:surprises")
SNIPPET = 160  # characters
SHOWN = 5  # passages
HEAD = ("ID", "COLLECTION", "TITLE", "SOURCE", "PASSAGES", "OWNER", "REVIEW", "READ", "FOR", "NOTE")
COLLECTION = re.compile(r"\w(?:[\w.-]{0,62}\w)?")  # what /learn takes for one, too
LINK = re.compile(r"https?://[^\s/]\S*")


def _collection(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse what could not be named in a chat or in the configuration."""
    if not COLLECTION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no name; use letters, digits, `_`, `-` and `.`")
    return value


def _link(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse what nobody could open; an empty word takes a link away."""
    if value and not LINK.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no address; write it as https://example.com/faq")
    return value


def _day(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no day; an empty word takes a day away."""
    try:
        return value and date.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day; write it as 2027-06-30") from None


@click.group(cls=Group)
def knowledge() -> None:
    """Add documents that answers lean on, list them, search them, remove them.

    A running bot has them at once; without one the database is opened.
    """


@knowledge.command()
@config_option
@click.argument("named", metavar="PATH…", nargs=-1, required=True)
@click.option(
    "--collection",
    default="default",
    show_default=True,
    callback=_collection,
    help="Under which name they lie; [collections.NAME] says who may read them.",
)
@click.option("--owner", help="Who answers for what they say.")
@click.option("--review", callback=_day, help="When to look at them again: 2027-06-30.")
@click.option(
    "--title", help="What the document is called; else what it calls itself, or its name."
)
@click.option(
    "--link", callback=_link, help="Where people can open it; a file's path below a folder follows."
)
@click.option("--prune", is_flag=True, help="Remove what is no longer in the folders.")
@json_option
def add(path: Path | None, named: tuple[str, ...], as_json: bool, **wishes: Any) -> None:
    """Read files, folders and https addresses: Markdown, text, HTML, PDF, DOCX, CSV.

    What did not change since is not read again. A file that is gone from a folder stays until
    --prune is given, which leaves a folder alone that has none of its documents any more: its disk
    may be missing. Exits with 1 when a document could not be read, after all others.
    """
    if wishes["title"] and len(named) > 1:
        raise click.UsageError("--title is for one document")
    config = found(path)
    own = [place_in(config).data_dir, *([config] if config else [])]
    for sentence in surprises(config, wishes["collection"]):
        click.echo(sentence, err=True)
    _report(_done(path, "add", named=named, own=own, **wishes), as_json)


@knowledge.command()
@config_option
@click.option("--prune", is_flag=True, help="Remove documents whose file is gone.")
@json_option
def sync(path: Path | None, prune: bool, as_json: bool) -> None:
    """Read every source again that is known; `add FOLDER` also finds new files in it.

    --prune leaves a folder alone in which no file is any more: its disk may be missing. Exits
    with 1 when one could not be read, after all others.
    """
    _report(_done(path, "sync", prune=prune), as_json)


@knowledge.command("list")
@config_option
@click.option("--due", is_flag=True, help="Only those that somebody should look at again.")
@json_option
def list_(path: Path | None, due: bool, as_json: bool) -> None:
    """Show the documents, their collections, and when they are to be reviewed."""
    answer = _done(path, "list")
    names = {one["collection"] for one in answer["documents"]}
    audience = {name: readers(found(path), name) for name in names}
    today = date.today().isoformat()  # noqa: DTZ011 - the operator's own day
    documents = [
        {**one, "due": bool(one["review"]) and one["review"] <= today,
         "readers": audience[one["collection"]]}
        for one in answer["documents"]
    ]  # fmt: skip
    shown = [one for one in documents if one["due"] or not due]
    if as_json:
        show_json({**answer, "documents": shown})
        return
    if shown:
        rows = [_row(one) for one in shown]
        used = [name for name in HEAD if any(row[name] != "" for row in rows)]
        show_table(used, [[row[name] for name in used] for row in rows])
    else:
        none = f"There are no documents in {place_in(found(path)).database} yet."
        click.echo("Nothing is due." if due and documents else none)
    if answer["embedder"] and answer["passages"]:
        click.echo(f"Embedded: {answer['embedded']} of {answer['passages']} passages.")


@knowledge.command()
@config_option
@click.argument("text")
@json_option
def search(path: Path | None, text: str, as_json: bool) -> None:
    """Show which passages fit TEXT, the best first.

    By meaning with knowledge.embedder = "local" or beside a running bot, else by its words.
    """
    results = _done(path, "search", text=text)
    if as_json:
        show_json(results)
        return
    for one in results[:SHOWN]:
        snippet = " ".join(one["text"].split())
        cut = snippet if len(snippet) <= SNIPPET else f"{snippet[:SNIPPET]}…"
        click.echo(f"{one['score']:.2f}  {printable(_named(one))}")
        click.echo(f"      {printable(cut)}")
    if not results:
        click.echo(f"Nothing was found in {place_in(found(path)).database}.")


@knowledge.command()
@config_option
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=int)
@json_option
def remove(path: Path | None, ids: tuple[int, ...], as_json: bool) -> None:
    """Remove documents by the numbers that `parley knowledge list` shows, for good."""
    removed = _done(path, "remove", ids=ids)
    if as_json:
        show_json(removed)
        return
    click.echo(f"{removed['removed']} removed.")
    if not removed["left"]:
        click.echo("No document is left; where a model quotes the demo, it does so again.")
    if not removed["complete"]:
        click.echo("Their last traces in the files go later: somebody reads the database.")


def _done(path: Path | None, verb: str, **values: Any) -> Any:
    config = found(path)
    return work(place_in(config), verb, embedder=embedder_in(config), **values)


def _named(one: dict[str, Any]) -> str:
    """Return title and section, where the section does not begin with the title itself."""
    begins = one["section"].startswith(one["title"])
    return str(one["section"] if begins else f"{one['title']} › {one['section']}")


def _row(one: dict[str, Any]) -> dict[str, object]:
    review = f"{one['review']} overdue" if one["due"] else one["review"]
    here = f"{Path.cwd()}/"
    values = (one["id"], one["collection"], one["title"], one["source"].removeprefix(here),
              one["chunks"], one["owner"], review, ago(one["at"]), one["readers"],
              one["note"])  # fmt: skip
    return dict(zip(HEAD, values, strict=True))


def _report(done: dict[str, Any], as_json: bool) -> None:
    """Print what became of all sources; exit 1 when something that was meant could not be done."""
    if as_json:
        show_json(done)
    else:
        for source, note in done["notes"]:
            click.echo(f"{printable(source)}: {printable(note)}", err=True)
        counts = [f"{done[name]} {name}" for name in ("added", "changed", "unchanged", "removed")
                  if done[name]]  # fmt: skip
        skipped = [f"{count} skipped: {reason}" for reason, count in done["skipped"].items()]
        click.echo(", ".join(counts + skipped) or "There was nothing to read.")
        if done["gone"]:
            hint = "" if done["spared"] else "; --prune removes them"
            click.echo(f"Gone at their source: {done['gone']}{hint}.")
    if done["failed"]:
        raise click.exceptions.Exit(1)
