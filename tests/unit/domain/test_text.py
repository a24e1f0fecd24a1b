"""Names of files become something to show, and nothing to open."""

import pytest

from bot.domain.text import safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.pdf", "notes.pdf"),
        ("  My  summer\tnotes .pdf", "My summer notes .pdf"),
        ("../../etc/passwd", "passwd"),
        ("/etc/shadow", "shadow"),
        ("C:\\Windows\\CON", "CON"),
        ("a\0b\x1b[31m\r\nc\u2028d.txt", "a b [31m c d.txt"),
        ("invoice\u202efdp.exe", "invoice fdp.exe"),
        ("..", "file"),
        ("", "file"),
        ("folder/", "file"),
        (".env", "env"),
        ("Größe 尺寸.csv", "Größe 尺寸.csv"),
        ("a" * 5000 + ".pdf", "a" * 96 + ".pdf"),
        ("a." + "b" * 5000, "a." + "b" * 98),
        ("\ud800.txt", "txt"),
    ],
)
def test_a_file_name_is_one_short_line_without_folders(name, safe):
    assert safe_name(name) == safe
