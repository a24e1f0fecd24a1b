"""Telegram in trouble: it is shown within a minute, nothing ends the receiver, nothing is lost."""

import asyncio
import logging
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress

import pytest
from telegram.error import TelegramError

from adapters.telegram import receiver as polling
from adapters.telegram import webhook as hooking
from adapters.telegram.transport import Wire
from bot.domain.errors import ConfigError, StoreBusy
from tests.fakes.closing import serving
from tests.fakes.files import FakeFiles
from tests.fakes.script import Delay, DropAfterAccept, Refuse, Reset, ServerError, TooMany
from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram_rig import Inbox, beat, built, free_port, listening

MINUTE = 60.0


@pytest.fixture
async def fake():
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
def pulse():
    return beat()


@pytest.fixture
def hook():
    port = free_port()
    url = f"http://127.0.0.1:{port}/telegram/hook"
    return {"mode": "webhook", "webhook_url": url, "webhook_port": port}


def rising(pulse):
    """Whether the platform is heard."""
    return lambda: not pulse.reason


def falling(pulse, words):
    """Whether the platform is not heard, and this is why."""
    return lambda: words in pulse.reason


def update(id, text="hi", **message):
    """Write an update with a number of its own."""
    chat, person = {"id": 42, "type": "private"}, {"id": 42, "first_name": "Ann"}
    message = {"message_id": id, "date": 1, "text": text, "from": person, "chat": chat, **message}
    return {"update_id": id, "message": message}


# ---- polling


async def test_a_poll_that_is_answered_with_nothing_counts_as_heard(fake, pulse):
    assert pulse.reason == "not connected yet"
    async with listening(built(fake, pulse=pulse, poll_timeout_s=0), Inbox()):
        await fake.until(rising(pulse))
    assert fake.calls[-1].method == "getUpdates"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Reset(), "cannot be reached (ServerDisconnectedError)"),
        (ServerError(502), "cannot be reached (status 502)"),
        (ServerError(200), "cannot be reached (the answer is not JSON)"),
        (ServerError(407), "the proxy wants a name and password (407)"),
        (DropAfterAccept(), "cannot be reached (ServerDisconnectedError)"),
        (TooMany(0.5), "asks to poll less often"),
        (Refuse("Conflict: terminated by other getUpdates request", 409), "another process polls"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
async def test_a_poll_that_fails_is_shown_until_one_succeeds(fake, pulse, fault, reason):
    fake.script.on("getUpdates", None, *[fault] * 9)
    async with listening(built(fake, pulse=pulse, poll_timeout_s=0), Inbox()):
        await fake.until(falling(pulse, reason))
        await fake.until(rising(pulse))


async def test_a_revoked_token_is_shown_for_good(fake, pulse):
    fake.script.on("getUpdates", None, Refuse("Unauthorized", 401))
    async with listening(built(fake, pulse=pulse, poll_timeout_s=0), Inbox()) as task:
        with pytest.raises(ConfigError):
            await task
    assert "Telegram refuses the token in TELEGRAM_BOT_TOKEN" in pulse.reason


async def test_a_poll_that_is_never_answered_is_ended_and_shown(fake, pulse, monkeypatch):
    monkeypatch.setattr(polling, "GRACE", 0.2)
    fake.script.on("getUpdates", None, Delay(MINUTE), Delay(MINUTE))
    inbox = Inbox()
    async with listening(built(fake, pulse=pulse, poll_timeout_s=0), inbox):
        await fake.until(falling(pulse, "cannot be reached (TimedOut)"))
        fake.say("still there?")
        await fake.until(lambda: fake.acked(5000))
        await fake.until(rising(pulse))
    assert inbox.texts == ["still there?"]


async def test_silence_is_known_within_a_minute_whatever_is_configured(fake):
    async with listening(built(fake, poll_timeout_s=600), Inbox()):
        await fake.until(lambda: fake.called("getUpdates"))
    (poll,) = fake.called("getUpdates")
    assert poll["timeout"] + polling.GRACE < MINUTE
    assert polling.STORING < MINUTE
    assert hooking.LOOK_EVERY + hooking.LOOK_PATIENCE < MINUTE


async def test_a_store_that_never_answers_is_shown_and_not_broken_off(fake, pulse, monkeypatch):
    monkeypatch.setattr(polling, "STORING", 0.05)
    inbox = Inbox(hold=asyncio.Event())
    async with listening(built(fake, pulse=pulse, poll_timeout_s=0), inbox):
        await fake.until(rising(pulse))
        fake.say("slow")
        await fake.until(falling(pulse, "has not taken an update"))
        inbox.hold.set()
        await fake.until(rising(pulse))
    assert len(inbox.calls) == 1


@pytest.mark.parametrize("count", [1, 3], ids=["alone", "in a batch"])
@pytest.mark.parametrize(
    "error",
    [OSError("disk"), KeyError("bug"), RecursionError(), StoreBusy("full"), TimeoutError(),
     asyncio.CancelledError(), ConnectionResetError()],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
async def test_whatever_storing_raises_the_poller_goes_on(fake, pulse, error, count):
    for number in range(count):
        fake.say(f"m{number}")
    inbox = Inbox(failures=[error, error])
    async with listening(built(fake, pulse=pulse, poll_timeout_s=0), inbox) as task:
        await fake.until(lambda: fake.acked(5000 + count - 1))
        await fake.until(rising(pulse))
        assert not task.done()
    assert sorted(inbox.texts) == [f"m{number}" for number in range(count)]


@pytest.mark.parametrize(
    "strange",
    [
        {"message": 7}, {"message": None}, {"message": []}, {"message": {"chat": "x"}},
        {"callback_query": {"id": {}}}, {"message_reaction": {"chat": {}}}, {"edited_message": "x"},
        {"my_chat_member": [[]]}, {"unheard_of": {}}, {},
    ],
    ids=str,
)  # fmt: skip
async def test_an_update_that_cannot_be_read_is_passed_over(fake, strange):
    inbox = Inbox()
    async with listening(built(fake, poll_timeout_s=0), inbox) as task:
        fake.push(dict(strange))
        fake.say("and then?")
        await fake.until(lambda: fake.acked(5001))
        assert not task.done()
    assert inbox.texts == ["and then?"]


async def test_cancelling_the_poller_ends_it(fake):
    async with listening(built(fake), Inbox(hold=asyncio.Event())) as task:
        fake.say("one")
        await fake.until(lambda: fake.called("getUpdates"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "ids",
    [(5, 6, 9, 30), (5, 2**31, 2**53), (9000, 17, 18), (17, 9000, 3)],
    ids=["a gap", "a jump", "numbered anew", "up and down"],
)
async def test_updates_are_read_however_they_are_numbered(fake, ids):
    inbox = Inbox()
    async with listening(built(fake, poll_timeout_s=0), inbox):
        for id in ids:
            polls = len(fake.called("getUpdates"))
            fake.push(update(id, f"m{id}"))
            await fake.until(lambda id=id: fake.acked(id))
            await fake.until(lambda polls=polls: len(fake.called("getUpdates")) > polls + 2)
    assert inbox.texts == [f"m{id}" for id in ids]


# ---- the way to Telegram


def certified(folder):
    """Make a certificate that nobody has signed."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
        f"-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {key} -out {cert}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@asynccontextmanager
async def somebody(answer=b"", **how):
    """Serve connections with the same few bytes; yields the port."""

    async def serve(reader, writer):
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with serving(serve, **how) as port:
        yield port


async def told(pulse, fake, **settings):
    """Listen until it is known why Telegram cannot be reached."""
    async with listening(built(fake, pulse=pulse, **settings), Inbox()):
        await fake.until(falling(pulse, "cannot be reached"))
    return pulse.reason


async def test_a_name_that_is_not_known_is_one_sentence(fake, pulse, caplog):
    reason = await told(pulse, fake, base_url="https://telegram.invalid/bot")
    assert reason == "Telegram cannot be reached (the name telegram.invalid is not known here)"
    assert caplog.text.count("telegram.invalid") == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="it makes the certificate")
async def test_a_certificate_that_nobody_signed_is_one_sentence(fake, pulse, tmp_path):
    async with somebody(ssl=certified(tmp_path)) as port:
        reason = await told(pulse, fake, base_url=f"https://localhost:{port}/bot")
    assert "its certificate, or this machine's clock, is wrong" in reason


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_password_is_one_sentence(fake, pulse, monkeypatch, scheme):
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with somebody(refusal) as port:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{port}")
        reason = await told(pulse, fake, base_url=f"{scheme}://telegram.example/bot")
    assert "the proxy wants a name and password (407)" in reason


# ---- webhook


async def test_a_webhook_that_is_set_counts_as_heard_and_one_that_ended_does_not(fake, hook, pulse):
    async with listening(built(fake, pulse=pulse, **hook), Inbox()):
        await fake.until(rising(pulse))
        assert fake.called("setWebhook")
    assert pulse.reason == "the webhook's server has ended"


async def test_a_webhook_that_somebody_removed_is_set_again(fake, hook, pulse, caplog):
    inbox = Inbox()
    async with listening(built(fake, pulse=pulse, **hook), inbox):
        await fake.until(rising(pulse))
        fake.updates.webhook = {}
        await fake.until(lambda: len(fake.called("setWebhook")) == 2)
        await fake.until(rising(pulse))
        fake.say("again")
        await fake.until(lambda: fake.acked(5000))
    assert inbox.texts == ["again"]
    assert "removed or points somewhere else" in caplog.text


async def test_a_webhook_that_fails_is_shown_until_updates_come_again(fake, hook, pulse):
    inbox = Inbox(failures=[StoreBusy("full")] * 40)
    async with listening(built(fake, pulse=pulse, **hook), inbox):
        await fake.until(rising(pulse))
        fake.say("one")
        await fake.until(falling(pulse, "Wrong response from the webhook: 503"))
        inbox.failures.clear()
        await fake.until(lambda: fake.acked(5000))
        await fake.until(rising(pulse))
    assert inbox.texts == ["one"]


async def test_a_webhook_is_looked_after_while_telegram_cannot_be_reached(fake, hook, pulse):
    async with listening(built(fake, pulse=pulse, **hook), Inbox()) as task:
        await fake.until(rising(pulse))
        fake.script.on("getWebhookInfo", ServerError(502), Reset(), TooMany(0.01))
        fake.script.on("setWebhook", Refuse("Bad Request: bad webhook: no such host"), Reset())
        await fake.until(falling(pulse, "cannot be reached"))
        await fake.until(rising(pulse))
        assert not task.done()


async def test_a_token_that_is_revoked_ends_the_webhook(fake, hook, pulse):
    async with listening(built(fake, pulse=pulse, **hook), Inbox()) as task:
        await fake.until(rising(pulse))
        fake.script.on("getWebhookInfo", Refuse("Unauthorized", 401))
        with pytest.raises(ConfigError, match="refuses the token"):
            await task
    assert pulse.reason


@pytest.mark.parametrize("error", [OSError("disk"), asyncio.CancelledError()], ids=repr)
async def test_whatever_storing_raises_the_webhook_takes_the_update_later(
    fake, hook, error, caplog
):
    caplog.set_level(logging.CRITICAL, logger="aiohttp.server")
    inbox = Inbox(failures=[error])
    async with listening(built(fake, **hook), inbox):
        fake.say("one")
        await fake.until(lambda: fake.acked(5000))
    assert inbox.texts == ["one"]


async def test_a_quiet_bot_is_known_to_be_heard_at_once_also_after_trouble():
    async with FakeTelegram() as telegram, listening(built(telegram), Inbox()):
        await telegram.until(lambda: len(telegram.called("getUpdates")) == 2)
        assert [args["timeout"] > 0 for args in telegram.called("getUpdates")] == [False, True]


# ---- the line


@pytest.mark.parametrize("status", [302, 307])
async def test_what_is_said_does_not_follow_a_redirect(status):
    async with FakeFiles() as server, FakeFiles() as elsewhere:
        server.redirect("/bot1:T/sendMessage", f"http://127.0.0.1:{elsewhere.port}/", status)
        base = f"http://127.0.0.1:{server.port}/bot"
        wire = Wire(base)
        await wire.initialize()
        with pytest.raises(TelegramError):
            await wire.call(f"{base}1:T/sendMessage", {"chat_id": 42, "text": "between us"})
        await wire.shutdown()
        assert (len(server.hits), elsewhere.hits) == (1, [])
