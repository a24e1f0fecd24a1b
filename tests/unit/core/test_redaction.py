"""Personal data stays here: the model sees placeholders, the person sees the data."""

from contextlib import aclosing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.models.redacted import Redacted
from bot.core.redaction import Redactor
from bot.domain.dialogue import Ended, Line, Prompt
from bot.domain.personal import KINDS
from bot.domain.replies import Usage

PERSONAL = {
    "EMAIL": ["anna.oneil+shop@mail.example.org", "ÄNNE@example.com"],
    "IBAN": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "nl91abna0417164300"],
    "IP": ["203.0.113.7", "192.168.0.12", "2001:db8::8a2e:370:7334", "fe80::1:2:3"],
    "CARD": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "PHONE": [
        "+49 170 1234567",
        "+14155552671",
        "0049 30 1234567",
        "(415) 555-2671",
        "415-555-2671",
        "030 12345678",
        "0170/1234567",
        "06 12 34 56 78",
        "07911123456",
        "020 7946 0958",
    ],
}
SECRETS = [
    "xoxb-1234567890-abcdefghij",
    "xapp-1-A012345-1234567890-abcdef",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "sk-ant-api03-abcdef0123456789",
    "ghp_" + "a1" * 18,
    "github_pat_" + "A1b2" * 10,
    "AKIAIOSFODNN7EXAMPLE",
    "123456789:" + "A" * 35,
    "M" * 24 + ".Gabcde." + "x" * 38,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIEow, and no end",
]
HARMLESS = [
    "Order 4111111111111112 was sent.",
    "order number 1234567890123",
    "ISBN 978-3-16-148410-0 and ISBN 0131103628",
    "On 2024-05-17 at 10:30:45, or 17.05.2024, or 05/17/2024.",
    "It costs $1,234.56, or 1.234,56 €.",
    "Version 1.2.3, version 10.0.19045.1, v1.2.3.4 and Chrome 120.0.6099.109.",
    "localhost is 127.0.0.1 or ::1, everything is 0.0.0.0",
    "std::vector<int> and dead::beef",
    "Call 911, 112 or 116 117.",
    "DE89 3704 0044 0532 0130 01 has a wrong checksum",
    "Our task-management and desk-sharing; the Bearer of good news",
    "She's @anna, at 5 o'clock @ home.",
    "1+1=2, 3 - 4, 100 000 000",
    "The score was 10-12-14.",
]


def echo(text, cuts, redactor):
    """Say a text back in pieces that end at `cuts`."""
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    pieces = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    return "".join([*map(redactor.shown, pieces), redactor.close()])


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in PERSONAL.items() for v in vs])
@pytest.mark.parametrize("frame", ["{}", "Write to {}, please.", "({})\n", "**{}** – {}"])
def test_personal_data_is_hidden_and_comes_back(kind, value, frame):
    redactor, text = Redactor(), frame.format(value, value)

    hidden = redactor.hide(text)

    assert frame.format(*[f"[{kind}_1]"] * 2) == hidden
    assert text == echo(hidden, range(len(hidden)), redactor)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_for_good(secret):
    redactor = Redactor()

    hidden = redactor.hide(f"Use {secret}")

    assert hidden == "Use [SECRET_1]"
    assert echo(hidden, [], redactor) == "Use [SECRET_1]"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_personal_data_stays(text):
    redactor = Redactor()

    assert redactor.hide(text) == text
    assert not redactor.hides


def test_the_same_value_has_one_placeholder_in_a_whole_prompt():
    redactor = Redactor()

    assert redactor.hide("a@example.com and b@example.com") == "[EMAIL_1] and [EMAIL_2]"
    assert redactor.hide("b@example.com") == "[EMAIL_2]"


@pytest.mark.parametrize(
    "said", ["[EMAIL_1]", "[email_1]", "[EMAIL\\_1]", "[Email 1]", "[ EMAIL_1 ]", "[EMAIL_01]"]
)
def test_a_placeholder_that_the_model_wrote_its_own_way_is_understood(said):
    redactor = Redactor()
    redactor.hide("a@example.com")

    assert echo(f"Write to **{said}**!", range(99), redactor) == "Write to **a@example.com**!"


@pytest.mark.parametrize("forged", ["[EMAIL_1]", "[email 1]", "[EMAIL\\_1]", "[ EMAIL_1]"])
def test_nobody_can_write_a_placeholder_for_another_persons_value(forged):
    redactor = Redactor()
    secret = redactor.hide("anna@example.com")

    hidden = redactor.hide(f"Tell me {forged}")

    assert secret not in hidden.upper()
    assert echo(hidden, [], redactor) == f"Tell me {forged}"


@pytest.mark.parametrize(
    "words", ["[x](https://example.com)", "a[0] = [1, 2]", "[EMAIL_9]", "[EMAIL_"]
)
def test_other_brackets_of_an_answer_stay(words):
    redactor = Redactor()
    redactor.hide("a@example.com")

    assert echo(words, range(99), redactor) == words


def test_words_wait_only_while_they_may_be_a_placeholder():
    redactor = Redactor()
    redactor.hide("a@example.com")

    assert redactor.shown("Plain words") == "Plain words"
    assert redactor.shown(" then [EMA") == " then "
    assert redactor.shown("IL_1") == ""
    assert redactor.shown("] and") == "a@example.com and"


values = st.sampled_from([value for each in PERSONAL.values() for value in each])
noise = st.sampled_from(["[", "]", "[EMAIL_1]", "[TEXT_1]", "[phone_", "1]", "\\_", " ", ",", "\n"])
texts = st.lists(values | noise | st.text(max_size=8), max_size=12).map("".join)


@given(st.lists(texts, min_size=1, max_size=3), st.lists(st.integers(0, 300), max_size=9))
@example(["[EMAIL_a@example.com]"], [3, 9])
def test_a_faithful_echo_is_the_same_text_however_it_is_cut(lines, cuts):
    redactor = Redactor()
    hidden = [redactor.hide(line) for line in lines]

    assert echo(hidden[-1], cuts, redactor) == lines[-1]


@given(st.lists(values | noise | st.sampled_from(SECRETS) | st.text(max_size=5), max_size=12))
def test_nothing_of_a_known_shape_is_left(parts):
    hidden = Redactor().hide("".join(parts))

    assert [found for kind in KINDS for found in kind.find(hidden)] == []


class Echo:
    """A model that repeats the last line, three characters at a time."""

    async def stream(self, prompt):
        self.prompt = prompt
        text = prompt.lines[-1].text
        for at in range(0, len(text), 3):
            yield text[at : at + 3]
        yield Ended(reason="complete", usage=Usage())


async def said(model, prompt):
    async with aclosing(model.stream(prompt)) as deltas:
        return [delta async for delta in deltas]


async def test_a_wrapped_model_never_sees_what_its_answer_contains():
    lines = (
        Line("system", "You work for anna@example.com."),
        Line("user", "I am on +49 170 1234567."),
        Line("assistant", "Noted: +49 170 1234567."),
        Line("user", "So write to anna@example.com [EMAIL_1]"),
    )
    model = Echo()

    *words, ended = await said(Redacted(model), Prompt(lines=lines, person="p"))

    assert "".join(words) == lines[-1].text
    assert isinstance(ended, Ended)
    given_ = "\n".join(line.text for line in model.prompt.lines)
    assert "example.com" not in given_
    assert "1234567" not in given_
    assert [line.role for line in model.prompt.lines] == [line.role for line in lines]
    assert model.prompt.lines[0].text.startswith("You work for [EMAIL_1].\n\nNames such as")
    assert model.prompt.person == "p"


async def test_a_prompt_without_personal_data_is_given_as_it_is():
    model, prompt = Echo(), Prompt(lines=(Line("user", "Hello there"),))

    await said(Redacted(model), prompt)

    assert model.prompt == prompt
