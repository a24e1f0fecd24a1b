"""`parley knowledge` beside a stopped bot: what is added, listed, found and removed."""

import asyncio
import json
import os
import re
import shutil

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.ops.control import listening

FAQ = "# Shop FAQ\n\n## May I return a dress?\nYes, within 14 days.\n\n## Where are you?\nHere.\n"


@pytest.fixture
def folder(tmp_path):
    docs = tmp_path / "docs"
    (docs / "more").mkdir(parents=True)
    (docs / "faq.md").write_text(FAQ)
    (docs / "more" / "prices.csv").write_text("size,price\n38,79\n40,81\n")
    (tmp_path / "config.toml").write_text(
        f'data_dir = "{tmp_path}/data"\n[collections.staff]\nreaders = ["moderator"]\n'
    )
    return tmp_path


def parley(folder, *arguments):
    given = [*map(str, arguments), "--config", str(folder / "config.toml")]
    return CliRunner().invoke(main, ["knowledge", *given])


def told(folder, *arguments, code=0):
    shown = parley(folder, *arguments, "--json")
    assert shown.exit_code == code, shown.output
    return json.loads(shown.stdout)


def documents(folder, *arguments):
    return told(folder, "list", *arguments)["documents"]


def test_a_folder_is_read_once_and_again_only_where_it_changed(folder):
    assert parley(folder, "add", folder / "docs").stdout == "2 added\n"
    assert parley(folder, "add", folder / "docs").stdout == "2 unchanged\n"
    (folder / "docs" / "faq.md").write_text(FAQ.replace("14", "30"))
    (folder / "docs" / "new.txt").write_text("Hello.")

    assert parley(folder, "add", folder / "docs").stdout == "1 added, 1 changed, 1 unchanged\n"
    assert "30 days" in parley(folder, "search", "returning dresses").stdout


def test_what_is_gone_stays_until_it_is_pruned(folder):
    parley(folder, "add", folder / "docs")
    (folder / "docs" / "faq.md").unlink()

    said = "1 unchanged\nGone at their source: 1; --prune removes them.\n"
    assert parley(folder, "add", folder / "docs").stdout == said
    assert parley(folder, "sync").stdout == said
    assert parley(folder, "sync", "--prune").stdout == "1 unchanged, 1 removed\n"
    assert [one["title"] for one in documents(folder)] == ["prices"]


@pytest.mark.parametrize("still", ["missing", "empty", "hidden"])
def test_a_folder_without_any_document_is_not_pruned_unless_by_number(folder, still):
    docs = folder / "docs"
    (folder / "aside.md").write_text("Hello.")
    parley(folder, "add", docs, folder / "aside.md", "--owner", "Ann", "--review", "2027-06-30")
    before = documents(folder)
    ids = [one["id"] for one in before if one["source"].startswith(f"{docs}/")]
    shutil.rmtree(docs)
    if still != "missing":
        docs.mkdir()
    if still == "hidden":
        (docs / ".mounted").touch()

    tries = [("sync", "--prune")] if still == "missing" else [("sync", "--prune"),
                                                              ("add", docs, "--prune")]  # fmt: skip
    for refused in tries:
        shown = parley(folder, *refused)
        assert shown.exit_code == 1
        assert shown.stderr == (
            f"{docs}: None of its documents is there any more, so --prune leaves them; "
            f"`parley knowledge remove {ids[0]} {ids[1]}` removes them.\n"
        )
        assert "--prune removes" not in shown.stdout
        done = told(folder, *refused, code=1)
        assert (done["removed"], done["gone"], done["spared"], done["failed"]) == (0, 2, 2, 1)
    assert parley(folder, "sync").exit_code == 0
    assert [one["owner"] for one in documents(folder)] == ["Ann"] * 3

    assert parley(folder, "remove", *ids).exit_code == 0
    assert told(folder, "sync", "--prune")["gone"] == 0


def test_what_else_is_gone_is_pruned_beside_a_folder_that_is_missing(folder):
    (folder / "docs" / "other.md").write_text("Hello.")
    parley(folder, "add", folder / "docs")
    shutil.rmtree(folder / "docs" / "more")
    (folder / "docs" / "other.md").unlink()

    done = told(folder, "sync", "--prune", code=1)
    assert (done["unchanged"], done["removed"], done["gone"]) == (1, 1, 1)
    assert told(folder, "add", folder / "docs", "--prune")["removed"] == 1  # the folder is there


def test_pruning_one_folder_leaves_others_alone(folder):
    (folder / "docs2").mkdir()
    (folder / "docs2" / "a.md").write_text("Else.")
    parley(folder, "add", folder / "docs", folder / "docs2")
    (folder / "docs" / "faq.md").unlink()
    (folder / "docs2" / "a.md").unlink()

    assert told(folder, "add", folder / "docs", "--prune")["removed"] == 1
    assert {one["title"] for one in documents(folder)} == {"a", "prices"}


def test_hidden_files_and_links_out_of_the_folder_are_not_meant(folder):
    docs = folder / "docs"
    (docs / ".secret.md").write_text("CANARY")
    (docs / ".git").mkdir()
    (docs / ".git" / "x.md").write_text("CANARY")
    (folder / "outside.md").write_text("CANARY")
    (docs / "link.md").symlink_to(folder / "outside.md")
    (docs / "up").symlink_to(folder)
    os.mkfifo(docs / "pipe")

    done = told(folder, "add", docs)

    assert done["added"] == 2
    assert done["skipped"] == {
        "hidden": 2, "link out of the folder": 1, "link to a folder": 1, "no file": 1
    }  # fmt: skip
    assert told(folder, "search", "CANARY") == []


def test_a_document_is_one_by_whatever_path_it_is_named(folder, monkeypatch):
    faq, docs = folder / "docs" / "faq.md", folder / "docs"
    (folder / "far" / "below").mkdir(parents=True)
    (folder / "far" / "other.md").write_text("Hello.")
    (docs / "link").symlink_to(folder / "far" / "below")
    monkeypatch.chdir(docs)

    assert parley(folder, "add", docs, faq).stdout.startswith("2 added")
    for path in ("faq.md", "../docs/faq.md", "more/../faq.md", "./faq.md"):
        assert parley(folder, "add", path).stdout == "1 unchanged\n"
    assert told(folder, "add", "link/../other.md")["added"] == 1

    assert {one["source"] for one in documents(folder)} == {
        str(faq), str(docs / "more" / "prices.csv"), str(folder / "far" / "other.md")
    }  # fmt: skip


def test_words_that_mean_the_same_are_no_document_of_the_folder_around_them(folder):
    (folder / "docs" / "synonyms.txt").write_text("ship, send, deliver")

    assert told(folder, "add", folder / "docs")["added"] == 2
    assert not any("synonyms" in one["source"] for one in documents(folder))


def test_the_files_of_the_bot_itself_are_not_meant_by_the_folder_around_them(folder):
    parley(folder, "add", folder / "docs")  # makes the database
    (folder / "data" / "notes.md").write_text("Hello.")

    done = told(folder, "add", folder)

    assert (done["added"], done["unchanged"]) == (0, 2)
    assert done["skipped"]["Parley's own"] > 2
    assert told(folder, "add", folder / "data" / "notes.md")["added"] == 1


def test_what_a_collection_is_not_that_its_name_suggests_is_said(folder, monkeypatch):
    config = folder / "config.toml"
    faq = folder / "docs" / "faq.md"
    assert parley(folder, "add", faq, "--collection", "staff").stderr == ""
    assert parley(folder, "add", faq).stderr == ""

    slip = "staf: everybody may read it, since the configuration has no [collections.staf].\n"
    assert parley(folder, "add", faq, "--collection", "staf").stderr == slip
    monkeypatch.chdir(folder / "docs")  # where no configuration is
    nameless = CliRunner().invoke(main, ["knowledge", "add", str(faq), "--collection", "staf"])
    assert (nameless.exit_code, nameless.stderr) == (0, "")
    config.write_text(f"{config.read_text()}[knowledge]\ncollections = ['staff']\n")
    unused = "default: no answer leans on it, since knowledge.collections does not name it.\n"
    assert parley(folder, "add", faq).stderr == unused
    config.write_text(
        f"{config.read_text()}[channels.'slack:T1'.knowledge]\ncollections = ['default']\n"
    )
    assert parley(folder, "add", faq).stderr == ""


def test_help_says_each_sentence_to_its_end():
    for group in ("knowledge", "queue"):
        shown = CliRunner().invoke(main, [group, "--help"]).stdout
        assert shown.count("...") == 1, shown  # [ARGS]...


def test_a_table_shows_what_is_known_and_what_is_due(folder):
    parley(folder, "add", folder / "docs" / "faq.md", "--owner", "Ann", "--review", "2026-01-31")
    parley(folder, "add", folder / "docs" / "more", "--collection", "staff",
           "--review", "2999-01-01")  # fmt: skip

    shown = parley(folder, "list").stdout

    assert re.search(r"default +Shop FAQ .* 2 +Ann +2026-01-31 overdue .* everybody", shown)
    assert re.search(r"staff +prices .* 2 +2999-01-01 .* moderator", shown)
    assert [one["title"] for one in documents(folder, "--due")] == ["Shop FAQ"]


def test_a_table_names_files_whole_as_they_are_called_from_here(folder, monkeypatch):
    name = f"{'long-' * 40}name.md"
    (folder / "docs" / name).write_text("Hello.")
    parley(folder, "add", folder / "docs" / name, "--title", "T" * 200)
    monkeypatch.chdir(folder)

    head, row = parley(folder, "list").stdout.splitlines()

    assert f" docs/{name} " in row
    assert "T" * 200 in row
    assert "OWNER" not in head  # nobody was named


def test_what_was_said_of_a_document_stays_until_something_else_is_said(folder):
    faq = folder / "docs" / "faq.md"
    parley(folder, "add", faq, "--owner", "Ann", "--title", "Questions", "--link", "https://s/faq")
    assert parley(folder, "add", faq).stdout == "1 unchanged\n"
    assert parley(folder, "add", faq, "--owner", "Bob").stdout == "1 changed\n"

    (one,) = documents(folder)

    assert (one["owner"], one["title"], one["link"]) == ("Bob", "Questions", "https://s/faq")
    parley(folder, "add", folder / "docs", "--link", "https://s/docs/")
    assert {one["link"] for one in documents(folder)} == {
        "https://s/docs/faq.md", "https://s/docs/more/prices.csv"
    }  # fmt: skip


def test_a_removed_document_is_gone(folder):
    parley(folder, "add", folder / "docs")
    ids = [one["id"] for one in documents(folder)]

    assert parley(folder, "remove", ids[0]).stdout == "1 removed.\n"
    demo = "No document is left; where a model quotes the demo, it does so again.\n"
    assert parley(folder, "remove", ids[1]).stdout == f"1 removed.\n{demo}"
    nothing = f"There are no documents in {folder}/data/parley.db yet.\n"
    assert parley(folder, "list").stdout == nothing
    assert parley(folder, "list", "--due").stdout == nothing
    assert parley(folder, "search", "dress").stdout.startswith("Nothing was found in ")
    data = b"".join(file.read_bytes() for file in (folder / "data").iterdir())
    assert b"within 14 days" not in data


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("add", "nix"), 2, "nix: there is no such file or folder"),
        (("add",), 2, "Missing argument"),
        (("add", "docs", "--review", "31.1.2026"), 2, "is no day; write it as 2027-06-30"),
        (("add", ""), 2, "'': there is no such file or folder"),
        (("add", "docs", "nix", "--title", "T"), 2, "--title is for one document"),
        (("add", "docs", "--title", "T"), 2, "--title is for one document, and docs is a folder"),
        (("add", "docs", "--collection", "a b"), 2, "'a b' is no name"),
        (("add", "docs", "--collection", ""), 2, "'' is no name"),
        (("add", "docs", "--link", "javascript:x"), 2, "write it as https://example.com/faq"),
        (("remove", "7"), 1, "7: there is no such document; see `parley knowledge list`"),
        (("remove", "99999999999999999999"), 1, "there is no such document"),
        (("remove", "x"), 2, "is not a valid integer"),
        (("add", "http://127.0.0.1/x.md"), 1, ""),
        (("add", "https://127.0.0.1/x.md"), 1, ""),
    ],
)
def test_wrong_use_is_one_sentence(folder, monkeypatch, arguments, code, sentence):
    monkeypatch.chdir(folder)
    parley(folder, "add", folder / "docs" / "more")
    before = documents(folder)
    shown = parley(folder, *arguments)

    assert shown.exit_code == code, shown.output
    assert sentence in shown.stderr
    assert "Traceback" not in shown.output
    assert documents(folder) == before


@pytest.mark.parametrize(
    ("name", "data", "sentence", "failed"),
    [
        ("a.txt", b"", "It is empty", 0),
        ("a.txt", b" \n", "It is empty", 0),
        ("a.bin", bytes(range(256)), "cannot be read", 0),
        ("a.xlsx", b"PK\x03\x04 xl/workbook.xml", "text, HTML, PDF, DOCX and CSV can", 0),
        ("a.rtf", b"{\\rtf1 hello}", "text, HTML, PDF, DOCX and CSV can", 0),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(16), "Text in pictures cannot be read.", 0),
        ("a.html", b"<html><script>x</script></html>", "There is no text in it.", 0),
        ("a.pdf", b"%PDF-1.4 nothing", "damaged", 1),
        ("a.docx", b"PK\x03\x04 word/document.xml nothing", "damaged", 1),
        ("a.md", b"x" * 30_000_000, "It is larger than 20 MB", 1),
    ],
)
def test_a_file_that_cannot_be_read_stops_no_other(folder, name, data, sentence, failed):
    file = folder / "docs" / name
    file.write_bytes(data)

    alone = told(folder, "add", file, code=1)
    all_ = told(folder, "add", folder / "docs", code=failed)

    for done in (alone, all_):
        ((source, note),) = done["notes"]
        assert source == str(file)
        assert sentence in note
    assert alone["failed"] == 1
    assert (all_["added"], all_["failed"]) == (2, failed)  # what is no document is no failure


@pytest.mark.parametrize("name", ["prod.env", "id_rsa", "faq.md~", "a.json", "script.py"])
def test_of_a_folder_only_what_ends_as_documents_do_is_taken_for_one(folder, name):
    file = folder / "docs" / name
    file.write_text("CANARY")

    done = told(folder, "add", folder / "docs")
    assert (done["added"], done["failed"]) == (2, 0)
    assert done["notes"] == [[str(file), "It does not end as documents do; name it to add it all the same."]]  # fmt: skip
    assert told(folder, "search", "CANARY") == []

    assert told(folder, "add", file)["added"] == 1
    assert (
        told(folder, "sync")["unchanged"] == told(folder, "add", folder / "docs")["unchanged"] == 3
    )


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4 nothing"])
def test_a_document_that_can_no_longer_be_read_stays_and_is_a_failure_each_time(folder, data):
    parley(folder, "add", folder / "docs")
    (folder / "docs" / "faq.md").write_bytes(data)

    for again in (("add", folder / "docs"), ("sync",), ("sync", "--prune")):
        done = told(folder, *again, code=1)
        assert (done["unchanged"], done["failed"], done["removed"]) == (1, 1, 0)
        ((_, note),) = done["notes"]
        assert note.endswith(
            "What it said before is still quoted; `parley knowledge remove 1` ends that."
        )
    assert len(documents(folder)) == 2


@pytest.mark.parametrize("ending", ["csv", "tsv", "TAB"])
def test_a_row_of_a_table_says_which_column_is_which(folder, ending):
    (folder / f"a.{ending}").write_text("item\tprice\nhat\t39\ncap\t19\n")
    parley(folder, "add", folder / f"a.{ending}")

    assert [one["text"] for one in told(folder, "search", "hat")] == ["item: hat; price: 39"]


def test_a_file_whose_name_is_no_text_stops_no_other(folder):
    (folder / "docs" / os.fsdecode(b"caf\xe9.md")).write_text("Hello.")
    done = told(folder, "add", folder / "docs", "--link", "https://docs.example", code=1)
    assert (done["added"], done["skipped"]) == (2, {"name that is no Unicode": 1})


def test_an_unreadable_file_is_named(folder):
    (folder / "docs" / "faq.md").chmod(0)
    if os.access(folder / "docs" / "faq.md", os.R_OK):
        pytest.skip("root reads everything")

    done = told(folder, "add", folder / "docs", code=1)

    assert (done["added"], done["failed"]) == (1, 1)
    assert done["notes"][0][1] == "It cannot be read: Permission denied."


@pytest.mark.parametrize("rights", [0, 0o444])
def test_what_lies_in_a_folder_that_cannot_be_read_is_not_gone(folder, rights):
    parley(folder, "add", folder / "docs")
    (folder / "docs" / "more").chmod(rights)
    if os.access(folder / "docs" / "more" / "prices.csv", os.R_OK):
        pytest.skip("root reads everything")
    (folder / "docs" / "link.md").symlink_to(folder / "docs" / "more" / "prices.csv")

    pruned = [
        told(folder, *again, "--prune", code=1) for again in (("add", folder / "docs"), ("sync",))
    ]
    named = parley(folder, "add", folder / "docs" / "more" / "prices.csv")
    (folder / "docs" / "more").chmod(0o755)

    assert [(done["removed"], done["gone"]) for done in pruned] == [(0, 0), (0, 0)]
    assert "Permission denied" in named.stderr
    assert len(documents(folder)) == 2


def test_what_is_named_twice_is_there_once(folder):
    docs = folder / "docs"
    assert told(folder, "add", docs / "faq.md", docs / "faq.md")["added"] == 1

    done = told(folder, "add", docs / "more" / "..", docs, docs / "faq.md")

    assert (done["added"], done["unchanged"], done["gone"]) == (1, 1, 0)
    assert len(documents(folder)) == 2


def test_a_link_leads_to_a_file_whatever_its_name(folder):
    (folder / "docs" / "C# 100%?.md").write_text("Hello.")

    told(folder, "add", folder / "docs", "--link", "https://docs.example/")

    links = {one["link"] for one in documents(folder)}
    assert "https://docs.example/C%23%20100%25%3F.md" in links
    assert "https://docs.example/more/prices.csv" in links


def test_a_list_says_that_everybody_may_ask_in_private_where_only_places_are_named(folder):
    with (folder / "config.toml").open("a") as config:
        config.write('[collections.house]\nplaces = ["slack:T1:C1"]\n')
    parley(folder, "add", folder / "docs" / "faq.md", "--collection", "house")
    assert [one["readers"] for one in documents(folder)] == ["everybody in private, in slack:T1:C1"]


def test_who_may_read_is_known_only_from_a_configuration(folder, monkeypatch):
    monkeypatch.setenv("PARLEY__DATA_DIR", str(folder / "data"))
    monkeypatch.chdir(folder / "docs")  # where no configuration is
    add = ["knowledge", "add", "faq.md", "--collection", "staff"]
    assert CliRunner().invoke(main, add).exit_code == 0

    def said():
        return json.loads(CliRunner().invoke(main, ["knowledge", "list", "--json"]).stdout)

    assert [one["readers"] for one in said()["documents"]] == ["unknown without --config"]
    assert "unknown without --config" in CliRunner().invoke(main, ["knowledge", "list"]).stdout
    monkeypatch.setenv("PARLEY__COLLECTIONS__STAFF__READERS", '["admin"]')
    assert [one["readers"] for one in said()["documents"]] == ["admin"]


def test_what_the_environment_says_of_a_collection_counts(folder, monkeypatch):
    faq = folder / "docs" / "faq.md"
    monkeypatch.setenv("PARLEY__COLLECTIONS__STAFF__READERS", '["admin"]')
    monkeypatch.setenv("PARLEY__COLLECTIONS__BOARD__READERS", '["owner"]')
    monkeypatch.setenv("PARLEY__KNOWLEDGE__COLLECTIONS", '["staff"]')

    assert parley(folder, "add", faq, "--collection", "staff").stderr == ""
    unused = "board: no answer leans on it, since knowledge.collections does not name it.\n"
    assert parley(folder, "add", faq, "--collection", "board").stderr == unused
    assert [one["readers"] for one in documents(folder)] == ["owner", "admin"]


async def test_a_bot_that_stops_meanwhile_is_one_sentence(folder):
    socket = folder / "data" / "control.sock"
    socket.parent.mkdir()

    async def health(_):
        return {"ready": True}

    async def listed(_):
        socket.unlink()
        return {"documents": []}

    async with listening(socket, {"health": health, "documents": listed}):
        shown = await asyncio.to_thread(parley, folder, "add", folder / "docs")
        assert (shown.exit_code, shown.stdout) == (1, "")
        assert "stopped meanwhile" in shown.stderr


def test_letters_of_another_encoding_are_read_and_said_to_be_uncertain(folder):
    (folder / "docs" / "faq.md").write_bytes("Grüße aus Köln".encode("cp1252"))

    done = told(folder, "add", folder / "docs" / "faq.md")

    assert done["added"] == 1
    assert "may be wrong" in done["notes"][0][1]
    assert len(told(folder, "search", "Köln")) == 1


def test_an_empty_folder_has_nothing_to_read(folder):
    (folder / "none").mkdir()

    done = parley(folder, "add", folder / "none", folder / "docs" / "faq.md")
    alone = parley(folder, "add", folder / "none")

    assert (done.exit_code, done.stdout) == (1, "1 added\n")
    assert (alone.exit_code, alone.stdout) == (1, "There was nothing to read.\n")
    assert done.stderr == alone.stderr == f"{folder}/none: Nothing was read in it.\n"


def test_what_is_missing_of_a_document_is_said_each_time_and_in_the_list(folder):
    long, cut = folder / "docs" / "long.txt", "Only the first 1,000,000 characters are here"
    long.write_text("word " * 100_000 + "\n\n" + "more " * 110_000)

    for told_again in (("add", long), ("add", folder / "docs"), ("sync",)):
        shown = parley(folder, *told_again)
        assert (shown.exit_code, shown.stderr.count(f"{long}: {cut}")) == (0, 1)
    assert told(folder, "sync")["notes"][0][0] == str(long)

    head, *rows = parley(folder, "list").stdout.splitlines()
    assert "NOTE" in head.split()
    assert [cut in row for row in rows] == ["long.txt" in row for row in rows]
    assert [one["note"] != "" for one in documents(folder)] == [False, True, False]

    long.write_text("short")
    assert parley(folder, "sync").stderr == ""
    assert "NOTE" not in parley(folder, "list").stdout


def test_a_search_understands_what_the_bot_would(folder):
    parley(folder, "add", folder / "docs")
    assert told(folder, "search", "can I send this frock back?") == []
    with (folder / "config.toml").open("a") as config:
        config.write("[knowledge]\nembedder = 'local'\n")
    assert "Embedded: 0 of 4 passages." in parley(folder, "list").stdout

    parley(folder, "sync")

    assert "Embedded: 4 of 4 passages." in parley(folder, "list").stdout
    best = told(folder, "search", "can I send this frock back?")[0]
    assert best["section"] == "Shop FAQ › May I return a dress?"
