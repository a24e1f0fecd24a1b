"""`parley chat` leans on the operator's documents, and says so."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.cli.chatting import greet
from bot.config import Config, DocumentsSettings

ROOT = Path(__file__).parents[3]


def test_the_terminal_leans_on_what_was_added_and_teaches_nothing_there(tmp_path):
    (tmp_path / "parking.md").write_text(
        "# Parking\n\nCars can stand in the yard behind the shop.\n"
    )
    config = tmp_path / "config.toml"
    config.write_text(
        f'data_dir = "{tmp_path / "data"}"\n[bot]\nadmins = ["console::me"]\n'
        '[models.main]\nkind = "documents"\n'
    )
    run = (sys.executable, "-m", "bot")
    added = (*run, "knowledge", "add", str(tmp_path / "parking.md"), "--config", str(config))
    subprocess.run(added, check=True, capture_output=True, cwd=ROOT)
    said = "is there parking behind the shop?\n/learn do you sell skates? = No.\n"
    talk = (*run, "chat", "--config", str(config))
    out = subprocess.run(talk, input=said, text=True, check=True, capture_output=True, cwd=ROOT)
    assert "> Cars can stand in the yard" in out.stdout
    assert "[1] Parking (parking.md)" in out.stdout
    assert "keep none of my own" in out.stdout


def test_documents_that_the_configuration_names_stay_beside_what_is_taught(tmp_path):
    (tmp_path / "parking.md").write_text(
        "# Parking\n\nCars can stand in the yard behind the shop.\n"
    )
    (tmp_path / "config.toml").write_text(
        f'data_dir = "{tmp_path / "data"}"\n[roles]\nowner = ["console::me"]\n'
        f'[models.main]\nkind = "documents"\ndocuments = "{tmp_path / "parking.md"}"\n'
    )
    said = (
        "/learn do you sell skates? = No.\ndo you sell skates?\n"
        "is there parking behind the shop?\nwho won the football?\n/gaps\n"
    )

    talk = (sys.executable, "-m", "bot", "chat", "--config", str(tmp_path / "config.toml"))
    out = subprocess.run(talk, input=said, text=True, check=True, capture_output=True, cwd=ROOT)

    assert "> No. [1]" in out.stdout
    assert "> Cars can stand in the yard" in out.stdout
    gaps = out.stdout.partition("in the 2 documents I was given.")[2]
    assert "who won the football?" in gaps
    assert "parking" not in gaps


@pytest.mark.parametrize(
    ("named", "added", "said"),
    [
        ("", 0, "the handbook of Lisa's Boutique, a demo"),
        ("", 1, "I only quote your document."),
        ("", 2, "I only quote your 2 documents."),
        ("shop.md", 0, "I only quote shop.md."),
        ("shop.md", 1, "I only quote shop.md and what you added."),
    ],
)
def test_the_terminal_says_what_it_quotes(tmp_path, capsys, named, added, said):
    (tmp_path / "config.toml").write_text(f'data_dir = "{tmp_path}"\n')
    for name in ("a.md", "b.md")[:added]:
        (tmp_path / name).write_text("Hello.")
        add = ("knowledge", "add", str(tmp_path / name), "--config", str(tmp_path / "config.toml"))
        assert CliRunner().invoke(main, add).exit_code == 0

    greet(Config(models={"main": DocumentsSettings(documents=named)}), tmp_path / "parley.db")

    assert said in capsys.readouterr().out
