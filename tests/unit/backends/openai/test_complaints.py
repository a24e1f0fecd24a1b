"""Each complaint becomes one sentence that says what to do."""

import pytest

from bot.backends.openai.complaints import Complaints, read_body
from bot.backends.openai.hearing import Complaint, Garbled
from bot.backends.openai.settings import OpenAISettings
from bot.domain.errors import ContextTooLong, ModelError

COMPLAINTS = Complaints(
    name="big",
    settings=OpenAISettings(model="m-1", api_key_env="BIG_KEY"),
    url="https://user:pass@models.example.com/v1",
    keyed=True,
)


def explained(said: object) -> ModelError:
    return COMPLAINTS.explain(Complaint(said))


# As the servers write it; sources: OpenAI, Azure, vLLM, llama.cpp, Ollama, LM Studio, Mistral.
TOO_LONG = [
    {"error": {"code": "context_length_exceeded", "message": "Please shorten it."}},
    {"error": {"code": 400, "type": "exceed_context_size_error", "message": "request (9 tokens)"}},
    {"object": "error", "message": "This model's maximum context length is 4096 tokens."},
    {"error": {"message": "the request exceeds the available context size"}},
    {"error": "the input length exceeds the context length"},
    {"error": "Trying to keep the first 5000 tokens when context window overflows"},
    {"message": "Prompt contains 9 tokens, too large for model with 8 maximum context length"},
    {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}},
    {"error": {"message": "The input token count (9) exceeds the maximum number of tokens"}},
    {"error": {"message": "Please reduce the length of the messages or completion."}},
]


@pytest.mark.parametrize("said", TOO_LONG)
def test_a_prompt_that_does_not_fit_is_recognised(said):
    assert isinstance(explained(said), ContextTooLong)


@pytest.mark.parametrize("said", [{"error": "out of memory"}, {"error": {"message": None}}, {}, ""])
def test_other_errors_are_not_taken_for_it(said):
    error = explained(said)
    assert type(error) is ModelError
    assert "models.example.com/v1 reported an error" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"code": "insufficient_quota", "message": "x"}},
        {"error": {"message": "Insufficient Balance"}},
    ],
)
def test_an_empty_account_is_named(said):
    assert "no quota left" in str(explained(said))


def test_sentences_name_the_model_and_no_secret():
    sentence = str(COMPLAINTS.explain(Garbled("sent something that is not JSON")))
    assert sentence == (
        "model big: https://models.example.com/v1 sent something that is not JSON; check base_url"
    )


@pytest.mark.parametrize(
    "said",
    [
        "[{'type': 'missing', 'msg': 'Field required', 'input': {'messages': 'my secret'}}]",
        "bad request\nmessages: my secret",
        "oops " * 40 + "my secret",
        "<html>my secret</html>",
    ],
)
def test_what_people_wrote_does_not_come_back_in_a_sentence(said):
    assert "my secret" not in str(explained({"error": said}))


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ({"error": {"code": "c", "message": "m"}}, ("c", "m")),
        ({"code": "c", "message": "m"}, ("c", "m")),
        ({"error": {"type": "t", "message": "m"}}, ("t", "m")),
        ({"detail": "m"}, ("", "m")),
        ({"error": "m"}, ("", "m")),
        ("m", ("", "m")),
        (None, ("", "")),
    ],
)
def test_error_bodies_of_all_servers_are_read(body, read):
    assert read_body(body) == read
