"""What goes over the wire, and what a server's complaints change about it."""

import re
from dataclasses import replace

import orjson
import pytest

from bot.backends.openai.request import UNSEEN, Dialect, body
from bot.backends.openai.settings import OpenAISettings
from bot.domain.dialogue import Image, Line, Prompt

PROMPT = Prompt(
    lines=(Line("system", "Be kind."), Line("user", "Hi")),
    person="slack:T1:U7",
    conversation="slack:T1:C1:1718.22",
)
LOCAL, OFFICIAL = Dialect.of(official=False), Dialect.of(official=True)


def sent(dialect: Dialect, prompt: Prompt = PROMPT, **settings) -> dict:
    return orjson.loads(body(prompt, OpenAISettings(model="m", **settings), dialect))


def test_a_request_carries_the_lines_and_asks_for_usage():
    assert sent(LOCAL) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_each_side_gets_the_limit_by_the_name_it_knows():
    assert sent(LOCAL, max_output_tokens=7)["max_tokens"] == 7
    assert sent(OFFICIAL, max_output_tokens=7)["max_completion_tokens"] == 7
    assert sent(LOCAL, temperature=0.0)["temperature"] == 0.0


def test_only_openai_itself_learns_who_asks_and_only_hashed_and_short():
    named = {"safety_identifier", "prompt_cache_key"}
    request = sent(OFFICIAL)
    assert all(re.fullmatch("[0-9a-f]{32}", request[field]) for field in named)
    assert request["safety_identifier"] != request["prompt_cache_key"]
    assert not named & sent(LOCAL).keys()
    assert not named & sent(OFFICIAL, Prompt(lines=PROMPT.lines)).keys()


PICTURE = replace(PROMPT, images=(Image(type="image/png", data=b"a dot"),))


def test_pictures_stand_behind_the_words_of_the_newest_line():
    assert sent(LOCAL, PICTURE, vision=True)["messages"][-1] == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Hi"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,YSBkb3Q="}},
        ],
    }


def test_a_model_that_cannot_see_is_told_so():
    assert sent(LOCAL, PICTURE)["messages"][-1] == {"role": "user", "content": f"Hi\n\n{UNSEEN}"}


def test_lone_surrogates_do_not_stop_a_request():
    request = sent(LOCAL, Prompt(lines=(Line("user", "a\ud83db"), Line("assistant", "ok"))))
    assert [line["content"] for line in request["messages"]] == ["a\ufffdb", "ok"]


@pytest.mark.parametrize(
    "complaint",
    [
        "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "[{'loc': ('body', 'max_tokens'), 'msg': 'Extra inputs are not permitted'}]",
    ],
)
def test_a_refused_limit_is_sent_by_its_other_name_once(complaint):
    better = LOCAL.after(complaint)
    assert better is not None
    assert "max_completion_tokens" in sent(better, max_output_tokens=7)
    assert "max_tokens" not in sent(better, max_output_tokens=7)
    assert better.after(complaint) is None


def test_a_server_without_stream_options_is_not_asked_for_usage_again():
    better = LOCAL.after("Extra inputs are not permitted: stream_options")
    assert better is not None
    assert "stream_options" not in sent(better)


def test_other_complaints_teach_nothing():
    assert LOCAL.after("temperature is too hot") is None
