"""Draw a conversation in the terminal as the SVG that the README shows.

python -m tests.acceptance.picture .github/chat.svg
"""

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from tests.acceptance.stage import PARLEY

QUESTIONS = (
    "Can I return a dress that was on sale?",
    "are you open on sundays?",
    "Who won the football?",
)
# A picture that fetches fonts from somewhere else tells that place who looks at it.
WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main():
    target = Path(sys.argv[1])
    console = Console(record=True, width=88, file=io.StringIO())
    for question in QUESTIONS:
        with tempfile.TemporaryDirectory() as folder:
            told = subprocess.run(
                [PARLEY, "chat", "--once", question], cwd=folder, text=True, capture_output=True,
                check=True,
            ).stdout  # fmt: skip
        console.print(Text.assemble(("you> ", "bold green"), question))
        console.print(Text.assemble("\n", ("parley>\n", "bold blue"), told))
    target.write_text(console.export_svg(title="make chat", code_format=WITHOUT_FONTS))


if __name__ == "__main__":
    main()
