"""Templates: strict gaps, and values that are never looked at again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.templates import Template

NAMES = ("question", "history", "facts", "a-b_2")
VALUES = st.fixed_dictionaries({name: st.text() for name in NAMES})
LITERALS = st.text().map(lambda text: text.replace("{", "{{").replace("}", "}}"))
PIECES = st.lists(st.one_of(LITERALS, st.sampled_from([f"{{{name}}}" for name in NAMES])))


@given(PIECES, VALUES)
@example(["{facts}", "{question}"], dict.fromkeys(NAMES, "{facts}{{}}{history}"))
@example(["{question}"], dict.fromkeys(NAMES, "{0.__class__} {x!r} {x:>9} }} {"))
def test_values_are_put_in_once_whatever_they_contain(pieces, values):
    told = [values[piece[1:-1]] if piece[1:-1] in NAMES and piece.startswith("{")
            else piece.replace("{{", "{").replace("}}", "}") for piece in pieces]  # fmt: skip

    assert Template.read("".join(pieces)).fill(values) == "".join(told)


@given(st.text(alphabet="{}ab.[]!:0 \n_-"))
def test_whatever_is_accepted_has_names_alone_between_braces(text):
    try:
        template = Template.read(text)
    except ValueError:
        return
    values = {name: f"<{name}>" for name in template.names}
    assert all(name.replace("_", "").replace("-", "").isalnum() for name in template.names)
    written = template.fill(values)
    for name in template.names:
        written = written.replace(f"<{name}>", f"{{{name}}}")
    assert written.count("{") + written.count("}") <= text.count("{") + text.count("}")


def test_names_are_told_once_and_in_order():
    assert Template.read("{b} {{a}} {a} {b}").names == ("b", "a")


def test_braces_are_written_twice():
    assert Template.read('{{"q": "{question}"}} {{{question}}}').fill({"question": "why"}) == (
        '{"q": "why"} {why}'
    )


@pytest.mark.parametrize(
    "text",
    ["{}", "{0}", "{question.text}", "{question[0]}", "{question!r}", "{question:>10}", "{a b}",
     "{Question}", "{_x}", "{" + "x" * 33 + "}", "{question\n}", "{été}"],
)  # fmt: skip
def test_what_is_no_name_is_no_placeholder(text):
    with pytest.raises(ValueError, match="is no placeholder"):
        Template.read(text)


@pytest.mark.parametrize(("text", "brace"), [("a { b", "{"), ("a } b", "}"), ("{{{", "{")])
def test_a_lone_brace_is_told(text, brace):
    with pytest.raises(ValueError, match=rf"a lone \{brace}; write \{brace}\{brace}"):
        Template.read(text)


def test_a_gap_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        Template.read("{question}").fill({})


def test_a_complaint_does_not_repeat_a_whole_page():
    with pytest.raises(ValueError, match="…") as caught:
        Template.read("{" + "x " * 500 + "}")
    assert len(str(caught.value)) < 150
