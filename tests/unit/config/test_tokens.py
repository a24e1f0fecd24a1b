"""A token that stands in the configuration is refused, and never repeated."""

import pytest

TOKENS = {
    "a Slack bot's": "xoxb-1234567890-abcdefghij",
    "a Slack app's": "xapp-1-A012345-1234567890-abcdef",
    "a Slack configuration's": "xoxe.xoxp-1-abcdef".replace("xoxe.", "xoxe-"),
    "an OpenAI key": "sk-proj-abcdefghijklmnop",
    "Telegram's": "123456789:" + "A" * 35,
    "Discord's": "M" * 24 + ".Gabcde." + "x" * 38,
    "one with a space before it": " xoxb-1234567890-abcdefghij",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("[adapters.slack]\nbot_token_env = '{}'", "adapters.slack.bot_token_env"),
        ("[adapters.telegram]\ntoken = '{}'", "adapters.telegram.token"),
        ("[models.m]\nkind = 'openai'\nmodel = 'm'\napi_key_env = '{}'", "models.m.api_key_env"),
        ("[bot]\nadmins = ['{}']", "bot.admins"),
        ("[channels.'slack:T1']\nmodel = '{}'", 'channels."slack:T1".model'),
    ],
)
def test_a_token_in_the_file_is_refused(problems, token, place, key):
    lines = problems(place.format(token))

    assert lines[0].startswith(f"{key}: a token must not stand in the configuration; put it into")


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_in_a_variable_of_the_configuration_is_refused(problems, token):
    lines = problems("", PARLEY__ADAPTERS__TELEGRAM__TOKEN_ENV=token)

    assert lines[0].startswith("adapters.telegram.token_env: a token must not stand")


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    "place",
    [
        "[turns]\nattempts = '{}'",
        "[chat]\nstreaming = '{}'\nmodel = '{}'",
        "[adapters.slack]\nenabled = '{}'\nbase_url = '{}'\ntoken = '{}'",
        "[bot]\nadmins = ['{}']",
        "[access]\nallow = ['{}']\nblock = '{}'",
        "[models.m]\nkind = '{}'",
        "[channels.slack]\nmodel = '{}'\npersona = '{}'",
    ],
)
def test_no_complaint_repeats_a_token(problems, token, place):
    assert token.strip() not in "\n".join(problems(place.replace("{}", token)))


@pytest.mark.parametrize(
    "name",
    ["SLACK_BOT_TOKEN", "sketch", "xoxo", "12:30", "v1.2.3", "task-sk-1", "telegram::123456789"],
)
def test_names_are_no_tokens(read, name):
    assert read("[bot]\nname = " + repr(name)).bot.name == name
