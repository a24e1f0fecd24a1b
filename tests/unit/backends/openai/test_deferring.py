"""The SDK's types are left out of its import, and are all there for whoever asks."""

import json
import subprocess
import sys

import pytest

LOADED = """
import json, sys
{first}
import openai
{then}
print(json.dumps({shown}))
"""
MODULES = "[name for name in sys.modules if name.startswith('openai')]"


def run(first="", then="", shown=MODULES):
    code = LOADED.format(first=first, then=then, shown=shown)
    command = [sys.executable, "-c", code]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_a_model_is_opened_without_most_of_the_sdk():
    every, used = set(run()), set(run("import bot.backends.openai.model"))
    assert used < every
    assert len(used) < len(every) / 2


@pytest.mark.parametrize("package", ["openai.types", "openai.types.responses"])
def test_whoever_asks_finds_all_names(package):
    names = {
        "then": f"import {package}; from {package} import *",
        "shown": f"sorted(name for name in vars(sys.modules['{package}']) if name[:2] != '__')",
    }
    assert run("import bot.backends.openai.model", **names) == run(**names) != []


def test_types_can_be_asked_for_in_many_threads_at_once():
    asking = """
from concurrent.futures import ThreadPoolExecutor
import openai.types, openai.types.responses
from threading import Barrier
barrier = Barrier(8)
def ask(number):
    barrier.wait()
    package = (openai.types, openai.types.responses)[number % 2]
    return getattr(package, ("Model", "Response")[number % 2]).__name__
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(ask, range(8)))
"""
    assert run("import bot.backends.openai.model", asking, "found") == ["Model", "Response"] * 4


def test_a_package_whose_modules_need_each_other_is_executed_once(tmp_path):
    package = tmp_path / "openai_like"
    package.mkdir()
    (package / "__init__.py").write_text("from .a import A")
    (package / "a.py").write_text("from . import b; A = b.B")
    (package / "b.py").write_text("B = 7")
    first = f"""
sys.path.insert(0, {str(tmp_path)!r})
from bot.backends.openai import deferring
deferring.DEFERRED = {{"openai_like"}}
import openai_like
"""
    assert run(first, shown="openai_like.A") == 7


def test_a_name_that_is_not_there_is_refused_as_ever():
    asking = "import openai.types; missing = not hasattr(openai.types, 'Nothing')"
    assert run("import bot.backends.openai.model", asking, "missing") is True
