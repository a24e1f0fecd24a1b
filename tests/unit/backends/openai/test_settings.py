"""What a configured model may look like."""

import pytest

from bot.backends.openai.settings import OFFICIAL, OpenAISettings, address, problems, shown


def made(**changes) -> OpenAISettings:
    return OpenAISettings(**{"model": "m", **changes})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://api.example.com/v1",
        "http://localhost:11434/v1",
        "http://127.0.0.1:8080/v1",
        "http://127.9.9.9/v1",
        "http://[::1]:8080/v1",
        "http://model.localhost/v1",
    ],
)
def test_urls_that_are_safe_to_send_a_key_to(url):
    assert problems(made(base_url=url)) == []


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://10.0.0.7:8000/v1", "use https://"),
        ("http://localhost.example.com/v1", "use https://"),
        ("http://127.0.0.1.example.com/v1", "use https://"),
        ("localhost:11434/v1", "does not begin with https://"),
        ("ftp://127.0.0.1/v1", "does not begin with https://"),
        ("https:///v1", "does not begin with https://"),
        ("https://[::1/v1", "cannot be read"),
        ("https://host:port/v1", "cannot be read"),
        ("https://user:secret@host/v1", "contains a password"),
    ],
)
def test_urls_that_are_refused_say_what_to_write(url, what):
    (line,) = problems(made(base_url=url))
    assert line.startswith("base_url: ")
    assert what in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"model": " "}, "model"),
        ({"api_key_env": ""}, "api_key_env"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"temperature": 2.5}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"context_tokens": -1}, "context_tokens"),
        ({"price_input": -0.1}, "price_input"),
        ({"price_output": -1}, "price_output"),
    ],
)
def test_values_that_make_no_sense_are_named_by_their_key(changes, key):
    (line,) = problems(made(**changes))
    assert line.startswith(f"{key}: ")


def test_every_problem_is_reported_at_once():
    assert len(problems(made(model="", timeout_s=-1, base_url="nonsense"))) == 3


def test_the_address_comes_from_the_settings_then_the_environment_then_openai():
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    assert address(made(base_url="https://a.example/v1"), environment.get) == "https://a.example/v1"
    assert address(made(), environment.get) == "http://127.0.0.1:9/v1"
    assert address(made(), {}.get) == OFFICIAL


def test_a_shown_url_has_no_secrets():
    assert shown("https://me:key@host:81/v1?token=x#y") == "https://host:81/v1"
