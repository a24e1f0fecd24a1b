"""What each section accepts by itself and yet cannot work."""

import pytest

A = '[models.a]\nkind = "openai"\nmodel = "m"\n'
B = '[models.b]\nkind = "documents"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[chat]\nmodel = 'a'", "chat.model: there is no model 'a'; known are none"),
        (A + "[chat]\nmodel = 'b'", "chat.model: there is no model 'b'; known are a"),
        (A + B, "chat.model: several models are configured; name one of a, b"),
        (A + "[chat]\nfallbacks = ['a', 'c']",
         "chat.fallbacks: there is no model 'c'; known are a"),
        (A + "[channels.'slack:T1']\nmodel = 'c'",
         "channels.\"slack:T1\".model: there is no model 'c'; known are a"),
        ("[channels.slack]\npersona = 'pirate'",
         "channels.slack.persona: there is no persona 'pirate'; add [personas.pirate]"),
        ("[database]\nurl = 'postgresql://h/db'",
         "database.url: only sqlite:///PATH is supported; leave it out for the default"),
    ],
)  # fmt: skip
def test_names_that_lead_nowhere(problems, text, line):
    assert problems(text) == [line]


def test_a_model_that_cannot_be_read_is_still_known_by_name(problems):
    lines = problems(
        "[models.a]\nkind = 'openai'\n[chat]\nmodel = 'a'\n[channels.slack]\nmodel='a'"
    )

    assert lines == ["models.a.model: is missing; write it"]


def test_a_persona_that_cannot_be_read_is_still_known_by_name(problems):
    lines = problems("[personas.p]\n[channels.slack]\npersona = 'p'")

    assert lines == ["personas.p.system_prompt: is missing; write it"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[memory]\nmax_tokens = 63", "memory.max_tokens: 63 is too small; write 64 or more"),
        ("[memory]\nwindow = 0", "memory.window: 0 is too small; write 1 or more"),
        ("[turns]\ntimeout_s = 0", "turns.timeout_s: 0 is not above 0; 300 is usual"),
        ("[turns]\ntimeout_s = nan", "turns.timeout_s: nan is not above 0; 300 is usual"),
        ("[turns]\nattempts = 0", "turns.attempts: 0 is too small; write 1 or more"),
        ("[turns]\nwaiting = 0", "turns.waiting: 0 is too small; write 1 or more"),
        ("[turns]\nstale_after_s = nan", "turns.stale_after_s: nan is not between 0 and 31536000"),
        ("[turns]\ndebounce_ms = -1", "turns.debounce_ms: -1 is not between 0 and 60000"),
        ("[http]\nport = 99999", "http.port: 99999 is no port; write 1 to 65535, or 0 for none"),
        ("[http]\nhost = ''", "http.host: is empty; write 127.0.0.1 for this machine, 0.0.0.0 for everybody"),
        ("[channels.slack.memory]\nmax_tokens = 1",
         "channels.slack.memory.max_tokens: 1 is too small; write 64 or more"),
    ],
)  # fmt: skip
def test_sizes_that_leave_no_room(problems, text, line):
    assert problems(text) == [line]


def test_a_size_is_reported_where_it_stands(problems):
    lines = problems("[memory]\nmax_tokens = 1\n[channels.slack.memory]\nwindow = 3")

    assert lines == ["memory.max_tokens: 1 is too small; write 64 or more"]


@pytest.mark.parametrize(
    ("text", "key", "name"),
    [
        ("[bot]\nadmins = ['@ada']", "bot.admins", "@ada"),
        ("[bot]\nadmins = ['42']", "bot.admins", "42"),
        ("[bot]\nadmins = ['telegram:42']", "bot.admins", "telegram:42"),
        ("[bot]\nadmins = ['slak:T1:U1']", "bot.admins", "slak:T1:U1"),
        ("[access]\nallow = ['*']", "access.allow", "*"),
        ("[access]\nallow = ['telegram::-100:']", "access.allow", "telegram::-100:"),
        ("[access]\nblock = ['U1']", "access.block", "U1"),
        ("[channels.slack.access]\nallow = ['#general']",
         "channels.slack.access.allow", "#general"),
    ],
)  # fmt: skip
def test_people_and_places_who_would_never_match(problems, text, key, name):
    (line,) = problems(text)

    assert line.startswith(f"{key}: {name!r} names nobody; write platform:workspace:user, like ")


def test_people_and_places_as_they_should_be(read):
    config = read(
        "[access]\nallow = ['slack', 'slack:T1', 'slack:T1:C1', 'telegram::-100']\n"
        "block = ['discord::7']\n[bot]\nadmins = ['telegram::42', 'slack:T1:U1']"
    )

    assert len(config.access.allow) == 4


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("slak:T1", "there is no platform 'slak'; did you mean slack?"),
        ("*", "there is no platform '*'; known are "),
        ("slack:", "is no place; write platform:workspace:channel, without a colon behind it"),
        ("slack:T1:C1:", "is no place; write platform:workspace:channel, without a colon"),
        ("slack:T1:C1:1.2:3", "is no place; "),
    ],
)
def test_places_of_overrides_that_would_never_match(problems, pattern, what):
    (line,) = problems(f"[channels.'{pattern}']\nmodel = ''")

    assert line.startswith(f'channels."{pattern}": {what}'.replace('"slack"', "slack"))


@pytest.mark.parametrize(
    "pattern", ["slack", "slack:T1", "slack:T1:C1", "slack:T1:C1:1718.22", "telegram::-100:7"]
)
def test_places_of_overrides_as_they_should_be(read, pattern):
    assert list(read(f"[channels.'{pattern}']\n").channels) == [pattern]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[adapters.telegram]\nbase_url = 'http://10.0.0.7/bot'",
         "adapters.telegram.base_url: would send the token in clear; use https://"),
        ("[adapters.discord]\ngateway_url = 'ws://gateway.example'",
         "adapters.discord.gateway_url: would send the token in clear; use wss://"),
        ("[models.a]\nkind = 'openai'\nmodel = 'm'\nbase_url = 'http://10.0.0.7/v1'",
         "models.a.base_url: http:// would send the key in clear to 10.0.0.7; use https://"),
    ],
)  # fmt: skip
def test_addresses_that_would_give_a_token_away(problems, text, line):
    assert problems(text) == [line]


@pytest.mark.parametrize("host", ["127.0.0.1:9101", "localhost", "[::1]:80"])
def test_clear_text_is_fine_on_this_machine(read, host):
    config = read(f"[adapters.telegram]\nbase_url = 'http://{host}/bot'")

    assert config.adapters["telegram"].base_url == f"http://{host}/bot"
