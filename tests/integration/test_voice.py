"""What people say in recordings is written down, once, and answered like what they write."""

from dataclasses import replace

import pytest

from bot.backends.openai.settings import OpenAISettings
from bot.config.sections import PrivacySettings
from bot.domain.attachments import FileSettings
from bot.domain.budgets import Allowance, Budgets
from bot.domain.events import Attachment
from tests.events import message
from tests.fakes.files import FakeFiles
from tests.fakes.openai import TRANSCRIPTIONS
from tests.fakes.script import Refuse
from tests.harness import running
from tests.integration.attachments_rig import answering, asked, chat, within_fence
from tests.integration.conftest import edit, lines, stored
from tests.integration.test_moderation import Kept

OGG = b"OggS\x00\x02" + bytes(8_000)  # two seconds, as far as anybody can tell
VOICE = ("voice.ogg", OGG, "audio/ogg")


@pytest.fixture
def config(config, model):
    ears = OpenAISettings(base_url=model.base_url, model="whisper-1", price_minute=0.6)
    models = {**config.models, "ears": ears}
    chat = replace(config.chat, model="main")
    files = FileSettings(transcriber="ears", language="en")
    return replace(config, models=models, chat=chat, files=files)


@pytest.fixture
async def shelf(config, platform):
    """Return the configuration of a platform that keeps one recording."""
    async with FakeFiles() as files:
        files.serve("/v.ogg", OGG, "audio/ogg")
        files.serve("/notes.ogg", b"These are notes.", "audio/ogg")
        platform.files = Kept(f"http://127.0.0.1:{files.port}")
        yield replace(config, adapters={"fake": platform.files})


def voice(text="", source="v.ogg"):
    return message(text, attachments=(Attachment(name="voice", type="audio/ogg", source=source),))


def heard(model):
    return [call.args for call in model.calls if call.method == TRANSCRIPTIONS]


@pytest.mark.parametrize("name", ["slack", "discord", "telegram"])
async def test_a_recording_is_the_question_of_who_sends_it(name, config, model):
    model.said = {"text": "When do you open?"}
    async with chat(name) as here, answering(here, config):
        if name == "telegram":
            recording = here.fake.upload(*VOICE)
            here.fake.say("", voice=recording | {"duration": 2, "mime_type": "audio/ogg"})
        else:
            here.send("", VOICE)
        await here.answer("You said: When do you open?")
    (call,) = heard(model)
    assert (call["model"], call["language"], call["file"]) == ("whisper-1", "en", "recording.ogg")
    assert call["data"] == OGG
    assert asked(model)[1] == "When do you open?"
    assert next(text for role, _, text in lines(config.data_dir) if role == "user").startswith(
        "When do you open?\n\n[attached then, not shown any more: "
    )


async def test_beside_a_text_it_is_a_file(shelf, platform, model):
    async with running(shelf, platform):
        await platform.inbox.accept(voice("What does she say?"))
        await platform.answers(1)
    before, inside, _ = within_fence(*asked(model))
    assert before.strip() == "What does she say?"
    assert inside.strip() == "file voice\nHello there."


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ({"text": "Hi."}, 30),
        ({"text": "Hi.", "usage": {"type": "duration", "seconds": 12}}, 121),
        (
            {"text": "Hi.", "usage": {"type": "tokens", "input_tokens": 40, "output_tokens": 3,
                                      "total_tokens": 43}},
            43,
        ),
        ({"text": "Hi.", "usage": {"input_tokens": 40, "output_tokens": 3}}, 43),
        ({"text": "Hi.", "usage": {"seconds": 12}}, 121),
        ({"text": "Hi.", "usage": {"type": "tokens", "input_tokens": "many"}}, 30),
        ({"text": "Hi.", "usage": {"type": "duration", "seconds": -9}}, 30),
    ],
)  # fmt: skip
async def test_it_is_paid_as_the_server_counts_or_as_it_is_long(
    shelf, platform, model, said, tokens
):
    model.said = said
    async with running(shelf, platform):
        await platform.inbox.accept(voice())
        await platform.answers(1)
    sql = "select sum(input + output) from ledger where purpose = 'transcription'"
    assert stored(shelf.data_dir, sql) == [(tokens,)]


async def test_who_has_nothing_left_is_not_listened_to(shelf, platform, model):
    poor = replace(shelf, budgets=Budgets(per_person=Allowance(tokens=50)))
    async with running(poor, platform):
        await platform.inbox.accept(voice())
        await platform.answers(1)
    assert not model.calls


async def test_a_server_elsewhere_hears_nothing_where_personal_data_is_hidden(
    shelf, platform, model
):
    hiding = replace(shelf, privacy=PrivacySettings(notice=False, redact="always"))
    async with running(hiding, platform):
        await platform.inbox.accept(voice())
        (said,) = await platform.answers(1)
    assert "I may not send recordings" in said
    assert not heard(model)


async def test_without_a_model_for_it_the_bot_says_that_it_is_deaf(shelf, platform, model):
    async with running(replace(shelf, files=FileSettings()), platform):
        await platform.inbox.accept(voice())
        (said,) = await platform.answers(1)
    assert "I cannot listen to recordings" in said


@pytest.mark.parametrize(
    ("words", "sentence"), [(" ", "could not hear any words"), (None, "could not make out")]
)
async def test_what_cannot_be_heard_is_said(shelf, platform, model, words, sentence):
    model.said = {"text": words}
    if words is None:
        model.script.on(TRANSCRIPTIONS, Refuse("what?", 400))
    async with running(shelf, platform):
        await platform.inbox.accept(voice())
        (said,) = await platform.answers(1)
    assert sentence in said


async def test_what_is_no_recording_is_not_sent_to_be_heard(shelf, platform, model):
    async with running(shelf, platform):
        await platform.inbox.accept(voice(source="notes.ogg"))
        (said,) = await platform.answers(1)
    assert "not of a kind" in said
    assert not heard(model)


async def test_a_recording_is_paid_once_however_often_the_answer_begins(shelf, platform, model):
    said = voice("What does she say?")
    model.delay = 0.3
    async with running(shelf, platform):
        await platform.inbox.accept(said)
        await model.until_called(2)  # the recording, and the question
        await platform.inbox.accept(edit(said, "What does he say?"))
        await platform.answers(1)
    assert len(heard(model)) == 1
    assert "Hello there." in asked(model)[1]
    assert "he say" in asked(model)[1]
