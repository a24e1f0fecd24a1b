"""The real SDK against a server on loopback: answers, faults, and what they become."""

import asyncio
import logging
import platform
import time
from contextlib import aclosing, asynccontextmanager

import openai._base_client
import pytest

from bot.backends.openai.model import OpenAIModel
from bot.backends.openai.settings import OpenAISettings
from bot.domain.dialogue import Ended, Line, Prompt
from bot.domain.errors import ConfigError, ContextTooLong, ModelError, ModelRefused
from bot.domain.replies import Usage
from tests.fakes.closing import serving
from tests.fakes.openai import CHAT, MODELS, FakeOpenAI
from tests.fakes.script import Delay, Refuse, Reset, ServerError, TooMany, Truncate

PROMPT = Prompt(lines=(Line("system", "Be kind."), Line("user", "hello there")))
WORD = b'data: {"choices":[{"delta":{"content":"secret words"}}]}\n\n'
LIMIT_REFUSED = Refuse("'max_tokens' is not supported, use 'max_completion_tokens'")


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    """Let the SDK wait milliseconds between its retries."""
    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.005)


@pytest.fixture
async def fake():
    async with FakeOpenAI() as fake:
        yield fake


@asynccontextmanager
async def opened(base_url: str, *, environment: dict[str, str] | None = None, **settings):
    model = OpenAIModel(
        "big",
        OpenAISettings(**{"base_url": base_url, "model": "m-1", **settings}),
        look_up=(environment or {}).get,
    )
    try:
        yield model
    finally:
        await model.close()


async def answer(model: OpenAIModel, prompt: Prompt = PROMPT) -> tuple[str, Ended]:
    async with aclosing(model.stream(prompt)) as stream:
        *words, ended = [delta async for delta in stream]
    assert isinstance(ended, Ended)
    return "".join(words), ended


async def failure(fake: FakeOpenAI, **settings) -> ModelError:
    async with opened(fake.base_url, **settings) as model:
        with pytest.raises(ModelError) as caught:
            await answer(model)
    return caught.value


@pytest.mark.parametrize("interval", [0.0, 0.003])
async def test_an_answer_streams_with_its_usage_over_one_connection(fake, interval):
    fake.interval = interval
    async with opened(fake.base_url) as model:
        for _ in range(3):
            said, ended = await answer(model)
    assert said == "You said: hello there"
    assert ended == Ended(
        reason="complete", usage=Usage(model="big", input_tokens=4, output_tokens=4)
    )
    assert len(fake.calls) == 3
    assert len(fake.peers) == 1


async def test_a_long_answer_arrives_whole(fake):
    fake.answer, fake.chunk, fake.interval = "Grüße 👋 " * 200, 7, 0.0001
    async with opened(fake.base_url) as model:
        assert (await answer(model))[0] == "Grüße 👋 " * 200


async def test_usage_is_estimated_when_the_server_is_silent_about_it(fake):
    fake.usage, fake.answer = False, "Hi"
    async with opened(fake.base_url) as model:
        _, ended = await answer(model)
    assert ended.usage.estimated
    assert ended.usage.input_tokens > 0
    assert ended.usage.output_tokens > 0


async def test_a_key_is_sent_where_there_is_one_and_local_servers_need_none(fake):
    async with opened(fake.base_url, environment={"K": " sk-1\n"}, api_key_env="K") as model:
        await answer(model)
    async with opened(fake.base_url) as model:
        await answer(model)
    assert fake.keys == ["Bearer sk-1", "Bearer none"]


async def test_the_base_url_may_come_from_the_environment(fake):
    async with opened("", environment={"OPENAI_BASE_URL": fake.base_url}) as model:
        await answer(model)
    assert len(fake.calls) == 1


async def test_a_proxy_is_not_asked_for_a_server_on_this_machine(fake, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with opened(fake.base_url) as model:
        await answer(model)


@pytest.mark.parametrize(
    ("base_url", "environment", "sentence"),
    [
        ("", {}, "models.big.api_key_env: OPENAI_API_KEY is not set"),
        ("http://models.example.com/v1", {}, "models.big.base_url: http:// would send"),
        ("", {"OPENAI_BASE_URL": "http://10.0.0.1/v1"}, "OPENAI_BASE_URL: http:// would send"),
        ("", {"OPENAI_BASE_URL": "https://[::1/v1"}, "OPENAI_BASE_URL: cannot be read"),
        ("https://a.example/v1", {"OPENAI_API_KEY": "sk-\u2026"}, "holds characters that no key"),
        ("https://a.example/v1", {"OPENAI_API_KEY": "sk-a\nb"}, "holds characters that no key"),
    ],
)
async def test_what_cannot_work_is_said_when_the_model_is_opened(base_url, environment, sentence):
    async with opened(base_url, environment=environment) as model:
        with pytest.raises(ConfigError, match=sentence):
            await model.open()


async def test_a_closed_model_opens_again(fake):
    async with opened(fake.base_url) as model:
        await model.open()
        await answer(model)
        await model.close()
        await answer(model)
    assert len(fake.peers) == 2


async def test_a_busy_server_is_asked_again(fake):
    fake.script.on(CHAT, TooMany(0.01), ServerError(503))
    async with opened(fake.base_url) as model:
        assert (await answer(model))[0] == "You said: hello there"
    assert len(fake.calls) == 3


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (TooMany(0.001), "at its rate limit"),
        (ServerError(502, "<html>Bad Gateway</html>"), r"failed with status 502$"),
        (ServerError(500, "out of memory"), "failed with status 500: out of memory"),
        (Reset(), "closed the connection before the end"),
        (Refuse("slow", 408), "failed with status 408"),
    ],
)
async def test_a_server_that_stays_broken_is_given_up_after_three_calls(fake, fault, sentence):
    fake.script.on(CHAT, fault, fault, fault)
    error = await failure(fake)
    assert type(error) is ModelError
    assert str(error).startswith("model big: ")
    with pytest.raises(ModelError, match=sentence):
        raise error
    assert len(fake.calls) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Refuse("invalid_api_key", 401), ModelRefused, "wants a key; put it into OPENAI_API_KEY"),
        (Refuse("not allowed", 403), ModelRefused, "may not use 'm-1': not allowed"),
        (Refuse("model_not_found", 404), ModelRefused, "has no model 'm-1'; change models.big"),
        (Refuse("not found", 404), ModelRefused, "has no /chat/completions; check base_url"),
        (Refuse("temperature too hot", 400), ModelRefused, r"\(400\): temperature too hot"),
        (Refuse("wrong field", 422), ModelRefused, r"\(422\): wrong field"),
        (Refuse("context_length_exceeded", 400), ContextTooLong, "the prompt is too long"),
        (Refuse("too large", 413), ContextTooLong, "the prompt is too long"),
        (Refuse("insufficient_quota", 429), ModelError, "no quota left; check its plan"),
        (Refuse("no money", 402), ModelError, "no quota left; check its plan"),
    ],
)
async def test_a_refusal_is_explained_and_not_repeated(fake, fault, kind, sentence):
    fake.script.on(CHAT, fault)
    error = await failure(fake)
    assert type(error) is kind
    assert str(error).startswith("model big: ")
    with pytest.raises(kind, match=sentence):
        raise error
    assert len(fake.calls) == 1


async def test_a_wrong_key_names_its_variable_and_never_the_key(fake):
    fake.script.on(CHAT, Refuse("invalid_api_key: sk-123", 401))
    error = await failure(fake, environment={"K": "sk-123"}, api_key_env="K")
    assert "does not accept the key in K" in str(error)
    assert "sk-123" not in str(error)


async def test_a_limit_by_its_other_name_is_tried_once_and_remembered(fake):
    fake.script.on(CHAT, LIMIT_REFUSED)
    async with opened(fake.base_url, max_output_tokens=9) as model:
        await answer(model)
        await answer(model)
    limits = [sorted({"max_tokens", "max_completion_tokens"} & c.args.keys()) for c in fake.calls]
    assert limits == [["max_tokens"], ["max_completion_tokens"], ["max_completion_tokens"]]


async def test_a_limit_that_is_wrong_by_both_names_teaches_nothing(fake):
    fake.script.on(CHAT, LIMIT_REFUSED, LIMIT_REFUSED)
    async with opened(fake.base_url, max_output_tokens=9) as model:
        with pytest.raises(ModelRefused):
            await answer(model)
        await answer(model)
    assert "max_tokens" in fake.calls[-1].args


async def test_a_limit_beyond_the_context_is_a_matter_of_the_prompt(fake):
    fake.script.on(CHAT, Refuse("'max_tokens' is too large: the maximum context length is 9"))
    assert isinstance(await failure(fake, max_output_tokens=9), ContextTooLong)
    assert len(fake.calls) == 1


async def test_a_server_without_stream_options_still_answers(fake):
    fake.script.on(CHAT, Refuse("stream_options: extra inputs are not permitted", 422))
    async with opened(fake.base_url) as model:
        _, ended = await answer(model)
    assert ended.usage.estimated


async def test_effort_is_sent_only_where_it_is_set(fake):
    async with opened(fake.base_url) as model:
        await answer(model)
    async with opened(fake.base_url, effort="low") as model:
        await answer(model)
    assert ["reasoning_effort" in call.args for call in fake.calls] == [False, True]
    assert fake.calls[-1].args["reasoning_effort"] == "low"


async def test_a_server_without_effort_is_asked_once_more_without_it(fake):
    fake.script.on(CHAT, Refuse("Unrecognized request argument supplied: reasoning_effort", 400))
    async with opened(fake.base_url, effort="high") as model:
        await answer(model)
        await answer(model)
    assert ["reasoning_effort" in call.args for call in fake.calls] == [True, False, False]


async def test_a_server_is_told_nothing_of_the_machine(fake):
    async with opened(fake.base_url) as model:
        await answer(model)
    (headers,) = fake.headers
    assert headers["content-type"] == "application/json"
    assert [name for name in headers if name.startswith("x-stainless")] == []
    system = (platform.system(), platform.machine(), platform.python_version())
    assert not any(word.lower() in value.lower() for value in headers.values() for word in system)


async def test_a_server_that_lists_no_models_wants_one_to_be_named(fake):
    fake.script.on(MODELS, Refuse("not found", 404))
    error = str(await failure(fake, model=""))
    assert "does not list its models: name one by OPENAI_MODEL" in error
    assert "/chat/completions" not in error


async def test_an_address_of_the_environment_is_complained_about_by_its_name():
    model = OpenAIModel(
        "main", OpenAISettings(model="m"), look_up={"OPENAI_BASE_URL": "127.0.0.1:1/v1"}.get
    )
    with pytest.raises(ConfigError) as caught:
        await model.open()
    assert str(caught.value).startswith("OPENAI_BASE_URL: does not begin with https://")
    assert "http://127.0.0.1:11434/v1" in str(caught.value)


async def test_nobody_listens_there(fake):
    async with FakeOpenAI() as gone:
        pass
    error = await failure(gone)
    assert str(error) == f"model big: cannot reach {gone.base_url}: is the server running?"


@asynccontextmanager
async def speaking(greeting: bytes):
    """A server that is no web server."""

    async def talk(_, writer):
        writer.write(greeting)
        await writer.drain()
        writer.close()

    async with serving(talk) as port:
        yield f"127.0.0.1:{port}/v1"


@pytest.mark.parametrize(
    ("scheme", "sentence"),
    [("http", "does not speak HTTP as expected"), ("https", "no secure connection")],
)
async def test_something_else_listens_there(scheme, sentence):
    async with speaking(b"SSH-2.0-OpenSSH\r\n") as place, opened(f"{scheme}://{place}") as model:
        with pytest.raises(ModelError, match=sentence):
            await answer(model)


async def test_silence_before_the_first_word_is_an_error(fake):
    fake.script.on(CHAT, Delay(9), Delay(9), Delay(9))
    error = await failure(fake, timeout_s=0.05)
    assert "was silent for 0.05 s" in str(error)


async def test_silence_in_the_middle_interrupts_the_answer(fake, caplog):
    fake.interval = 9.0
    async with opened(fake.base_url, timeout_s=0.2) as model:
        fake.on_raw(WORD, b"never sent")
        said, ended = await answer(model)
    assert (said, ended.reason) == ("secret words", "interrupted")
    assert ended.usage.estimated
    assert "an answer broke off: model big: " in caplog.text
    assert "was silent for 0.2 s" in caplog.text
    assert "secret" not in caplog.text


async def test_a_connection_that_breaks_in_the_middle_interrupts_the_answer(fake):
    fake.script.on(CHAT, Truncate(2))
    async with opened(fake.base_url) as model:
        said, ended = await answer(model)
    assert (said, ended.reason) == ("You said: hello ", "interrupted")


async def test_a_connection_that_breaks_before_the_first_word_is_an_error(fake):
    fake.script.on(CHAT, Truncate(0))
    assert "closed the connection" in str(await failure(fake))


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (b"", "sent no end of it"),
        (b'data: {"error": {"message": "GPU lost"}}\n\n', "reported an error: GPU lost"),
        (b"data: {cut o", "not JSON"),
        (b'data: {"choices":[{"delta":{},"finish_reason":"abort"}]}\n\n', "stopped in the middle"),
    ],
)
async def test_an_answer_without_an_end_is_interrupted(fake, end, why, caplog):
    fake.on_raw(WORD + end)
    async with opened(fake.base_url) as model:
        said, ended = await answer(model)
    assert (said, ended.reason) == ("secret words", "interrupted")
    assert f"an answer broke off: model big: {fake.base_url} " in caplog.text
    assert why in caplog.text


async def test_words_that_looked_like_a_tag_are_not_lost(fake):
    fake.answer = "1 <t"
    async with opened(fake.base_url) as model:
        assert (await answer(model))[0] == "1 <t"


@pytest.mark.parametrize(
    ("wire", "sentence"),
    [
        (b"", "sent an empty answer"),
        (b"data: [DONE]\n\n", None),
        (b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}', None),
        (b'data: {"error": {"message": "GPU lost"}}\n\n', "reported an error: GPU lost"),
        (b'data: {"error": {"code": "context_length_exceeded"}}', "the prompt is too long"),
        (b"data: {broken\n", "sent something that is not JSON; check base_url"),
        (b'data: {"choices":[{"delta":{"content":"<think>hm"}}]}', "sent an empty answer"),
    ],
)
async def test_answers_without_words(fake, wire, sentence):
    fake.on_raw(wire)
    async with opened(fake.base_url) as model:
        if sentence is None:  # the model chose to say nothing: the core knows what to do
            assert (await answer(model))[0] == ""
        else:
            with pytest.raises(ModelError, match=sentence):
                await answer(model)


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8"])
async def test_a_web_page_is_no_answer(fake, content_type):
    fake.on_raw(b"<html>Welcome</html>", content_type=content_type)
    assert "answered with a web page instead of JSON; check base_url" in str(await failure(fake))


async def test_a_server_that_does_not_stream_is_understood(fake):
    reply = b'{"choices":[{"message":{"content":"All at once."},"finish_reason":"stop"}]}'
    fake.on_raw(reply, content_type="application/json; charset=utf-8")
    async with opened(fake.base_url) as model:
        said, ended = await answer(model)
    assert (said, ended.reason) == ("All at once.", "complete")


async def test_closing_the_stream_ends_the_call_at_the_server(fake):
    fake.answer, fake.interval = "word " * 1000, 0.02
    async with opened(fake.base_url) as model:
        async with aclosing(model.stream(PROMPT)) as stream:
            await anext(stream)
            before = time.monotonic()
        assert await fake.until_closed() - before < 1.0


async def test_cancelling_ends_the_call_at_the_server(fake):
    fake.delay = 30.0
    async with opened(fake.base_url) as model:
        task = asyncio.create_task(answer(model))
        await fake.until_called()
        before = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await fake.until_closed() - before < 1.0


async def test_calls_run_side_by_side(fake):
    fake.delay = 60.0
    async with opened(fake.base_url) as model:
        calls = [asyncio.create_task(answer(model)) for _ in range(150)]
        await fake.until_called(150, seconds=20)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_no_text_is_logged_even_when_everything_is(fake, caplog):
    caplog.set_level(logging.DEBUG)
    secret = Prompt(lines=(Line("user", "my secret"),))
    async with opened(fake.base_url, environment={"OPENAI_API_KEY": "sk-hidden"}) as model:
        await answer(model, secret)
    assert "my secret" not in caplog.text
    assert "sk-hidden" not in caplog.text


async def test_where_no_model_is_named_the_usual_one_or_the_servers_first_answers():
    for listed, chosen in ((("llama", "qwen"), "llama"), (("gpt-9", "gpt-6-luna"), "gpt-6-luna")):
        async with FakeOpenAI(models=listed) as fake, opened(fake.base_url, model="") as model:
            await answer(model)
            await answer(model)
        assert [call.args["model"] for call in fake.calls if call.method == CHAT] == [chosen] * 2
        assert sum(call.method != CHAT for call in fake.calls) == 1
