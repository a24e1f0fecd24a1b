"""The installed `parley chat`: one question, a pipe of them, and a person at a terminal."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import termios
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.stage import PARLEY
from tests.fakes.openai import FakeOpenAI
from tests.fakes.script import Truncate

pytestmark = pytest.mark.long

# What would configure the program, or make its output differ from that of a person's machine.
OWN = ("PARLEY_", "OPENAI_", "SLACK_", "DISCORD_", "TELEGRAM_", "PYTHONUNBUFFERED", "PYTHONIO")
CITATION = re.compile(r"^— \*.+\* \([\w-]+\.md\)$", re.MULTILINE)
QUESTIONS = ("When are you open?", "How do I return something?", "Do you sell gift cards?")
ANSWERS = ("Tuesday", "30 days", "300 €")


def surroundings(**variables):
    """Return an environment in which nothing is configured but these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return {k: v for k, v in kept.items() if not k.lower().endswith("_proxy")} | variables


async def chat(folder, *arguments, stdin="", **variables):
    """Run `parley chat` to its end; returns exit code, output and complaints."""
    process = await asyncio.create_subprocess_exec(
        PARLEY, "chat", *arguments, cwd=folder, env=surroundings(**variables),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    given = stdin if isinstance(stdin, bytes) else stdin.encode()
    try:
        out, complaints = await asyncio.wait_for(process.communicate(given), 15)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in out + complaints
    return process.returncode, out.decode(), complaints.decode()


class Terminal:
    """A pseudo-terminal with a program in it."""

    def __init__(self, master, process):
        self._master, self.process = master, process
        self.screen = ""

    def read(self):
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the program is gone, and its terminal with it
            data = b""
        self.screen += data.decode().replace("\r\n", "\n")
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)

    def type(self, text):
        os.write(self._master, text.encode())

    async def until(self, pattern, within=10.0):
        """Wait until the screen shows something; returns what stands behind it."""
        async with asyncio.timeout(within):
            while not (found := re.search(pattern, self.screen, re.DOTALL)):
                await asyncio.sleep(0.005)
        return found

    async def ended(self, within=10.0):
        """Wait for the end of the program; returns its exit code."""
        code = await asyncio.wait_for(self.process.wait(), within)
        assert "Traceback" not in self.screen
        return code


@asynccontextmanager
async def terminal(folder, *arguments, **variables):
    """Run `parley chat` in a terminal of its own, as a person does."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        PARLEY, "chat", *arguments, cwd=folder, env=surroundings(TERM="dumb", **variables),
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )  # fmt: skip
    os.close(slave)
    shown = Terminal(master, process)
    asyncio.get_running_loop().add_reader(master, shown.read)
    try:
        yield shown
    finally:
        asyncio.get_running_loop().remove_reader(master)
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        os.close(master)


# One question -----------------------------------------------------------------------------------


async def test_one_question_is_answered_with_a_citation_and_nothing_else(tmp_path):
    code, answer, complaints = await chat(tmp_path, "--once", QUESTIONS[0])
    assert (code, complaints) == (0, "")
    assert ANSWERS[0] in answer
    assert CITATION.search(answer)
    assert list(tmp_path.iterdir()) == []


async def test_a_server_that_is_named_answers_instead(tmp_path):
    async with FakeOpenAI(answer="I am the model.") as model:
        code, answer, complaints = await chat(
            tmp_path, "--once", "Who are you?", OPENAI_BASE_URL=model.base_url,
            OPENAI_API_KEY="k-1",
        )  # fmt: skip
        (call,) = [call for call in model.calls if call.method == "chat.completions"]
    assert (code, answer, complaints) == (0, "I am the model.\n", "")
    assert call.args["messages"][-1]["content"] == "Who are you?"
    assert call.args["model"]
    assert set(model.keys) == {"Bearer k-1"}


async def test_a_command_can_be_the_one_question(tmp_path):
    code, answer, complaints = await chat(tmp_path, "--once", "/help")
    assert (code, complaints) == (0, "")
    assert "/reset" in answer


async def test_an_answer_that_breaks_off_says_so(tmp_path):
    async with FakeOpenAI(answer="a long answer " * 20) as model:
        model.script.on("chat.completions", Truncate(chunks=4))
        code, answer, complaints = await chat(
            tmp_path, "--once", "Tell me!", OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="k-1"
        )
    assert (code, answer.startswith("a long answer ")) == (1, True)
    assert "breaks off here" in answer
    assert complaints.count("\n") == 1
    assert "an answer broke off: model main: " in complaints


async def test_a_library_that_is_corrupt_is_not_taken_for_none(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "parley.db").write_bytes(b"no database" * 500)
    code, answer, complaints = await chat(tmp_path, "--once", QUESTIONS[0])
    assert (code, answer) == (1, "")
    assert "is corrupt" in complaints
    assert "parley restore FILE" in complaints


async def test_no_question_is_refused(tmp_path):
    code, answer, complaints = await chat(tmp_path, "--once", " ")
    assert (code, answer) == (2, "")
    assert "there is no question in it" in complaints


# A pipe -----------------------------------------------------------------------------------------


async def test_piped_questions_are_answered_one_after_another(tmp_path):
    asked = "\n".join([*QUESTIONS, "What is the capital of France?"])
    code, out, complaints = await chat(tmp_path, stdin=asked)
    assert (code, complaints) == (0, "")
    places = [out.index(answer) for answer in ANSWERS]
    assert places == sorted(places)
    assert len(CITATION.findall(out)) == 3
    declined = out[CITATION.search(out, places[-1]).end() :]
    assert "could not find" in declined
    assert "Paris" not in out


async def test_an_empty_pipe_is_answered_with_nothing(tmp_path):
    assert await chat(tmp_path, stdin="\n\n") == (0, "", "")


async def test_a_conversation_goes_on_where_the_last_one_ended(tmp_path):
    async with FakeOpenAI() as model:
        server = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "k-1"}
        await chat(tmp_path, stdin="My name is Ann.\n", **server)
        code, out, _ = await chat(tmp_path, stdin="What is my name?\n", **server)
        lines = [line["content"] for line in model.calls[-1].args["messages"]]
    assert (code, out.strip()) == (0, "You said: What is my name?")
    assert "My name is Ann." in lines


STRANGE = (
    "hello \0 there",
    "opening hours " * 20_000,
    "\x1b[2J\x07\x08 hello",
    "/frobnicate now",
    "/ ?! ...",
    "<|endoftext|> {} %s ${HOME} `rm -rf`",
)


async def test_whatever_comes_through_a_pipe_the_next_question_is_answered(tmp_path):
    asked = "\n".join([*STRANGE, "Is the shop open on a Saturday evening?\n"])
    code, out, complaints = await chat(tmp_path, stdin=asked)
    assert (code, complaints) == (0, "")
    assert "no command `frobnicate`" in out
    assert ANSWERS[0] in out


async def test_bytes_that_are_no_text_do_not_end_the_reading(tmp_path):
    asked = b"\xff\xfe caf\xe9\nIs the shop open on a Saturday evening?\n"
    strict = {"PYTHONIOENCODING": "utf-8:strict"}  # as in most locales
    code, out, _ = await chat(tmp_path, stdin=asked, **strict)
    assert code == 0
    assert ANSWERS[0] in out


async def test_a_question_is_answered_also_after_one_that_is_off_topic(tmp_path):
    asked = f"What is the capital of France?\n{QUESTIONS[0]}\n"
    _, out, _ = await chat(tmp_path, stdin=asked)
    assert "could not find" in out
    assert ANSWERS[0] in out


async def test_who_stops_reading_the_answers_ends_the_program(tmp_path):
    out, end = os.pipe()
    os.close(out)
    process = await asyncio.create_subprocess_exec(
        PARLEY, "chat", "--once", QUESTIONS[0], cwd=tmp_path, env=surroundings(),
        stdin=asyncio.subprocess.DEVNULL, stdout=end, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(end)
    try:
        _, complaints = await asyncio.wait_for(process.communicate(), 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in complaints


# A person ---------------------------------------------------------------------------------------


async def test_a_person_is_greeted_answered_and_let_go(tmp_path):
    async with terminal(tmp_path) as screen:
        await screen.until(r"you> $")
        assert "/forget_me" in screen.screen
        assert "/gaps" not in screen.screen  # which a stranger may not use
        screen.type(QUESTIONS[0] + "\n")
        await screen.until(r"parley>.*Tuesday.*opening-hours\.md.*you> $")
        screen.type("/help\n")
        await screen.until(r"parley>.*/reset.*/model.*you> $")
        screen.type("/quit\n")
        assert await screen.ended() == 0


async def test_a_person_sees_an_answer_grow(tmp_path):
    words = " ".join(f"word{number}" for number in range(40))
    async with FakeOpenAI(answer=words, interval=0.03) as model:
        server = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "k-1"}
        async with terminal(tmp_path, **server) as screen:
            await screen.until(r"you> $")
            screen.type("Count!\n")
            await screen.until(r"word3 ")
            assert "word39" not in screen.screen
            await screen.until(r"word39.*you> $")
            screen.type("/exit\n")
            assert await screen.ended() == 0


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
async def test_a_key_ends_the_program_quietly(tmp_path, key):
    async with terminal(tmp_path) as screen:
        await screen.until(r"you> $")
        screen.type(key)
        assert await screen.ended() == 0


@asynccontextmanager
async def listening(folder):
    """Yield a terminal in the middle of a long answer."""
    async with FakeOpenAI(answer="word " * 500, interval=0.05) as model:
        server = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "k-1"}
        async with terminal(folder, **server) as screen:
            await screen.until(r"you> $")
            screen.type("Count!\n")
            await screen.until(r"word ")
            yield screen


async def test_who_leaves_is_told_that_an_answer_is_waited_for(tmp_path):
    async with listening(tmp_path) as screen:
        screen.type("/quit\n")
        await screen.until(r"\(waiting for the answer; Ctrl-C ends it\)")
        screen.type("\x03")
        assert await screen.ended(within=5) == 0


async def test_ctrl_c_in_the_middle_of_an_answer_ends_it_at_once(tmp_path):
    async with listening(tmp_path) as screen:
        screen.type("\x03")
        assert await screen.ended(within=5) == 0
