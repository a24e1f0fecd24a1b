"""`parley restore`: from a backup to the database, without ever losing the one that was there."""

from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.late import late
from bot.cli.options import config_option, found, json_option
from bot.cli.place import place_in

check, put_back = (
    late("bot.backends.sqlite.backup:check"),
    late("bot.backends.sqlite.backup:restore"),
)
show_json, progress = late("bot.cli.printing:show_json"), late("bot.cli.printing:progress")
size = late("bot.cli.printing:size")


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--verify", is_flag=True, help="Only check FILE; change nothing.")
@json_option
def restore(path: Path | None, file: Path, verify: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the database; the bot must be stopped.

    FILE is read as a whole first, and stays. The database that was there is kept beside the new one
    under a dated name. Messages that waited when the backup was made wait again, also those that
    were answered since; `turns.stale_after_s` keeps the bot from answering old ones.
    """
    facts = check(file)
    done: dict[str, object] = {"file": file, **asdict(facts)}
    sound = (
        f"{file} is sound: schema {facts.schema}, {size(facts.bytes)}, {facts.lines} lines of "
        f"memory, {facts.waiting} messages that wait for an answer, {facts.dead} given up."
    )
    sentences = [sound]
    if not verify:
        database = place_in(found(path)).database
        with progress("Restoring") as tell:
            kept = put_back(file, database, tell)
        done |= {"database": database, "kept": kept}
        sentences.append(f"It is {database} now.")
        if kept:
            sentences.append(f"What was there is {kept}; it goes when somebody in it is forgotten.")
    if as_json:
        show_json(done)
    else:
        click.echo("\n".join(sentences))
