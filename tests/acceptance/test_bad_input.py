"""The installed program when something is wrong: one clear sentence, never a traceback.

Exit code 2 says that the operator must change something, 1 that the work failed.
"""

import asyncio
import json
import signal
import socket
import sqlite3
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.stage import PARLEY, SECRETS, STAGES
from tests.acceptance.test_terminal import chat, surroundings
from tests.fakes.openai import FakeOpenAI
from tests.fakes.script import Refuse, Reset, Script, ServerError, TooMany, Truncate
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.long

MODEL = """
[models.main]
kind = "documents"
"""
TELEGRAM = """
[adapters.telegram]
enabled = true
"""
FINE = f"config_version = 1\n{MODEL}{TELEGRAM}"


def configured(folder, text):
    """Write a configuration; returns the options that name it."""
    (folder / "bad.toml").write_text(text)
    return "--config", str(folder / "bad.toml")


@asynccontextmanager
async def started(folder, *arguments, **variables):
    """Run a verb that may not end by itself; yields the process and the path of what it says."""
    path = folder / f"{arguments[0] if arguments else 'nothing'}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            PARLEY, *arguments, cwd=folder, env=surroundings(**variables),
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield process, path
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert "Traceback" not in path.read_text()


async def parley(folder, *arguments, **variables):
    """Run a verb to its end; returns exit code and what it said."""
    async with started(folder, *arguments, **variables) as (process, path):
        code = await asyncio.wait_for(process.wait(), 15)
    return code, path.read_text()


async def stopped(process):
    """Stop a process as an operator does; returns its exit code."""
    process.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(process.wait(), 15)


def lines(text):
    """Return what was said, one sentence a line; a log line is its message. Farewells are left out."""
    said = (json.loads(line)["message"] if line[:1] == "{" else line for line in text.splitlines())
    return [sentence for sentence in said if not sentence.startswith("stopping;")]


async def until(condition, within=15.0):
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


# What the configuration says --------------------------------------------------------------------

TOKEN = "987654321:" + "AbCdEfGhIjKlMnOpQrStUvWxYz012345678"
SET = {"TELEGRAM_BOT_TOKEN": TOKEN}
WRONG = {
    "a token that is not set": (FINE, {}, ["TELEGRAM_BOT_TOKEN is not set", "@BotFather"]),
    "a token in the file": (
        f'{FINE}token_env = "{TOKEN}"', SET,
        ["adapters.telegram.token_env: a token must not stand", "environment variable"],
    ),
    "an unknown key": (f"{FINE}\n[bott]\n", SET, ["bott: unknown key; did you mean bot?"]),
    "a variable that names no setting": (
        FINE, {**SET, "PARLEY__CHAT__STREEMING": "off"}, ["did you mean streaming?"],
    ),
    "a wrong type": (f'{FINE}[memory]\nmax_tokens = "many"\n', SET, ["memory.max_tokens: is 'many'"]),
    "broken TOML": (f"{FINE}[chat\n", SET, ["is not valid TOML", "line"]),
    "a model that is not there": (
        f'{FINE}[chat]\nmodel = "big"\n', SET, ["chat.model: there is no model 'big'", "main"],
    ),
    "no model": (TELEGRAM, SET, ["models: none is configured"]),
    "no platform": (MODEL, SET, ["adapters: none is enabled"]),
    "a model's key in clear": (
        f'{TELEGRAM}[models.main]\nkind = "openai"\nmodel = "m"\nbase_url = "http://a.example/v1"\n',
        SET, ["models.main.base_url: http://", "https://"],
    ),
    "a platform's token in clear": (
        f'{FINE}base_url = "http://a.example/bot"\n', SET,
        ["adapters.telegram.base_url", "in clear", "https://"],
    ),
    "a model without its key": (
        f'{TELEGRAM}[models.main]\nkind = "openai"\nmodel = "m"\n', SET, ["OPENAI_API_KEY", "set"],
    ),
}  # fmt: skip


# Both verbs read the file alike; these they find out each by itself, or must never let pass.
RUN_TOO = (
    "a token that is not set",
    "a token in the file",
    "broken TOML",
    "no model",
    "no platform",
)


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_with_a_configuration_is_said_in_one_line(tmp_path, name):
    text, variables, words = WRONG[name]
    options = configured(tmp_path, text)
    verbs = ("check", "run") if name in RUN_TOO else ("check",)
    told = [parley(tmp_path, verb, *options, **variables) for verb in verbs]
    for code, sentence in await asyncio.gather(*told):
        assert code == 2, sentence
        assert len(lines(sentence)) == 1
        assert all(word in sentence for word in words), sentence
        assert TOKEN not in sentence
    assert not (tmp_path / "data").exists()


async def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    text = f'{FINE}[chat]\nmodel = "big"\n[memory]\nmax_tokens = "many"\n[bott]\n'
    code, sentences = await parley(tmp_path, "run", *configured(tmp_path, text), **SET)
    assert (code, len(lines(sentences))) == (2, 3), sentences


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--role", "worker"), "--role worker"),
        (("run", "--config", "nowhere.toml"), "nowhere.toml"),
        (("check", "--config", "."), "is a directory"),
        (("chat", "--config", "nowhere.toml", "--once", "hi"), "nowhere.toml"),
        (("frobnicate",), "frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
async def test_wrong_usage_is_told_with_exit_code_2(tmp_path, arguments, words):
    code, sentence = await parley(tmp_path, *arguments)
    assert code == 2
    assert words in sentence


# The model --------------------------------------------------------------------------------------


def dead_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def asked(folder, url, key="k-secret-1"):
    """Ask once; returns exit code, answer and complaints, of which none may tell the key."""
    code, answer, complaints = await chat(
        folder, "--once", "hello", OPENAI_BASE_URL=url, OPENAI_API_KEY=key
    )
    assert key not in answer + complaints
    return code, answer, complaints


async def test_a_model_that_is_down_is_one_sentence_for_each_reader(tmp_path):
    code, answer, complaints = await asked(tmp_path, f"http://127.0.0.1:{dead_port()}/v1")
    assert code in (0, 1)
    assert "cannot reach my language model" in answer
    assert len(lines(complaints)) == 1
    assert "is the server running?" in complaints


TROUBLE = {  # what the server does → what the person reads, what the operator reads
    Refuse("invalid_api_key", 401): ("not set up correctly", "does not accept the key"),
    Refuse("model_not_found", 404): ("not set up correctly", "has no model"),
    ServerError(200, "<html>Log in"): ("cannot reach", "web page"),
    ServerError(502, "<html>Bad Gateway"): ("cannot reach", "502"),
    TooMany(0.01): ("cannot reach", "rate limit"),
    Reset(): ("cannot reach", "closed the connection"),
    Truncate(chunks=2): ("breaks off here", "closed the connection before the end"),
    b"data: [DONE]\n\n": ("empty answer", ""),
    b"data: {}\n\n": ("cannot reach", "empty answer"),
    b"": ("cannot reach", "empty answer"),
    b"nonsense\n\n": ("cannot reach", "empty answer"),
    b"data: nonsense\n\n": ("cannot reach", "not JSON"),
}


async def test_a_model_in_trouble_is_one_sentence_for_each_reader_each_time(tmp_path):
    """One conversation goes through all of it, and the last question is answered."""
    async with FakeOpenAI(answer="All is well.") as model:
        process = await asyncio.create_subprocess_exec(
            PARLEY, "chat", cwd=tmp_path, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=surroundings(OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="k-secret-1"),
        )  # fmt: skip
        out = ""
        for number, (fault, (for_people, _)) in enumerate(TROUBLE.items()):
            model.script = Script()
            if isinstance(fault, bytes):
                model.on_raw(fault)
            else:
                model.script.on("chat.completions", *[fault] * 4)
            process.stdin.write(f"question {number}\n".encode())
            answer = (await asyncio.wait_for(process.stdout.readuntil(b"\n\n"), 15)).decode()
            while for_people not in answer:  # the sentence behind an answer that broke off
                answer += (await asyncio.wait_for(process.stdout.readuntil(b"\n"), 15)).decode()
            out += answer
        model.script = Script()
        rest, complaints = await asyncio.wait_for(process.communicate(b"Well?\n"), 15)
    assert (process.returncode, rest.decode().strip()) == (0, "All is well.")
    assert "Traceback" not in out + complaints.decode()
    assert "k-secret-1" not in out + complaints.decode()
    told = iter(lines(complaints.decode()))
    for _, for_the_operator in TROUBLE.values():
        assert for_the_operator in (next(told) if for_the_operator else "")
    assert list(told) == []


@pytest.mark.parametrize(
    ("url", "key", "word"),
    [
        ("http://a.example/v1", "k-secret-1", "OPENAI_BASE_URL"),
        ("http://127.0.0.1:9/v1", "schlüssel", "OPENAI_API_KEY"),
    ],
)
async def test_what_a_model_cannot_work_with_is_told_before_anything_is_sent(
    tmp_path, url, key, word
):
    code, answer, complaints = await asked(tmp_path, url, key)
    assert (code, answer) == (2, "")
    assert len(lines(complaints)) == 1
    assert word in complaints


# The disk ---------------------------------------------------------------------------------------


def file_in_the_way(data):
    data.write_text("")


def garbage(data):
    data.mkdir()
    (data / "parley.db").write_bytes(b"this is no database at all, but quite long enough" * 100)


def cut(data):
    data.mkdir()
    with sqlite3.connect(data / "parley.db") as database:
        database.executescript("create table t(x); pragma user_version=1;")
        database.executemany("insert into t values (?)", [("x" * 1000,)] * 100)
    database.close()
    with (data / "parley.db").open("r+b") as file:
        file.truncate(9_000)


def newer(data):
    data.mkdir()
    with sqlite3.connect(data / "parley.db") as database:
        database.execute("pragma user_version=999")
    database.close()


def folder_in_the_way(data):
    (data / "parley.db").mkdir(parents=True)


DISKS = {
    file_in_the_way: "cannot be written",
    folder_in_the_way: "parley.db",
    garbage: "corrupt",
    cut: "corrupt",
    newer: "newer Parley",
}


@pytest.mark.parametrize("spoil", DISKS, ids=lambda spoil: spoil.__name__)
async def test_a_store_that_cannot_be_used_is_one_sentence(tmp_path, spoil):
    spoil(tmp_path / "data")
    code, sentence = await parley(tmp_path, "run", *configured(tmp_path, FINE), **SET)
    assert code == 1, sentence
    assert len(lines(sentence)) == 1
    assert DISKS[spoil] in sentence
    assert str(tmp_path / "data") in sentence or "data" in sentence


async def test_a_terminal_whose_store_cannot_be_used_says_so_too(tmp_path):
    file_in_the_way(tmp_path / "data")
    code, out, complaints = await chat(tmp_path, stdin="hello\n")
    assert (code, out) == (1, "")
    assert len(lines(complaints)) == 1


# The platforms ----------------------------------------------------------------------------------

REFUSALS = {
    "telegram": ("getMe", Refuse("Unauthorized", 401)),
    "slack": ("auth.test", Refuse("invalid_auth")),
    "discord": ("GET /users/@me", Refuse("401: Unauthorized", 401)),
}


@pytest.mark.parametrize("platform", STAGES)
async def test_a_token_that_the_platform_refuses_is_one_sentence(tmp_path, platform):
    place = STAGES[platform]()
    async with place.fake as fake:
        method, refusal = REFUSALS[platform]
        fake.script.on(method, *[refusal] * 3)
        text = f"{MODEL}[adapters.{platform}]\nenabled = true\n{place.settings()}\n"
        code, sentence = await parley(tmp_path, "run", *configured(tmp_path, text), **SECRETS)
    assert code == 2, sentence
    assert len(lines(sentence)) == 1
    assert f"adapters.{platform}." in sentence
    assert "token" in sentence
    assert not any(secret in sentence for secret in SECRETS.values())


async def test_a_platform_that_is_refused_leaves_the_others_running(tmp_path):
    slack, telegram = STAGES["slack"](), STAGES["telegram"]()
    async with slack.fake, telegram.fake:
        slack.fake.script.on("auth.test", *[Refuse("invalid_auth")] * 3)
        text = (
            f'{MODEL}[access]\ndm_policy = "open"\n'
            f"[adapters.slack]\nenabled = true\n{slack.settings()}\n"
            f"[adapters.telegram]\nenabled = true\n{telegram.settings()}\n"
        )
        options = configured(tmp_path, text)
        async with started(tmp_path, "run", *options, **SECRETS) as (process, log):
            await until(telegram.connected)
            telegram.say(1, "When are you open?")
            await until(lambda: "Tuesday" in "".join(telegram.shown(1)))
            assert await stopped(process) == 0
    told = [line for line in lines(log.read_text()) if "slack" in line]
    assert len(told) == 1
    assert "bot token" in told[0]


async def test_a_second_poller_is_told_about_once_and_stopped_in_peace(tmp_path):
    async with FakeTelegram() as telegram:
        urls = f'base_url = "{telegram.base_url}"\nbase_file_url = "{telegram.base_file_url}"\n'
        conflict = Refuse("Conflict: terminated by other getUpdates request", 409)
        telegram.script.on("getUpdates", *[conflict] * 100)
        options = configured(tmp_path, FINE + urls)
        async with started(tmp_path, "run", *options, **SECRETS) as (process, log):
            await until(lambda: "another process polls" in log.read_text())
            assert await stopped(process) == 0
    assert len(lines(log.read_text())) == 1


@pytest.mark.parametrize("platform", STAGES)
async def test_a_platform_that_cannot_be_reached_is_waited_for(tmp_path, platform):
    place = STAGES[platform]()
    place.fake.port = dead_port()
    text = f"{MODEL}[adapters.{platform}]\nenabled = true\n{place.settings()}\n"
    options = configured(tmp_path, text)
    async with started(tmp_path, "run", *options, **SECRETS) as (process, log):
        await until(log.read_text)
        assert await stopped(process) == 0
    told = log.read_text()
    assert 1 <= len(lines(told)) <= 3
    assert not any(secret in told for secret in SECRETS.values())
