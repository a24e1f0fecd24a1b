"""What holds in one place: the defaults, then what wider and narrower channel tables change."""

from bot.core.policies import Policies
from bot.domain.conversation import Conversation
from bot.domain.policy import Policy

MODELS = "\n".join(f"[models.{name}]\nkind = 'documents'" for name in ("small", "big"))
TEXT = f"""
{MODELS}
[chat]
model = "small"
[memory]
kind = "window"
max_tokens = 900
[access]
group_policy = "open"
allow = ["telegram::1"]
[personas.pirate]
system_prompt = "Arr."
[channels.slack]
model = "big"
[channels."slack:T1".access]
require_mention = false
[channels."slack:T1:C1"]
persona = "pirate"
memory = {{ max_tokens = 100 }}
[channels."slack:T1:C1".access]
group_policy = "allowlist"
"""


def policy(config, place):
    platform, workspace, channel, *thread = place.split(":")
    policies = Policies(
        default=Policy(model=config.chat.model, memory=config.memory, access=config.access),
        channels=config.channels,
        personas={name: persona.system_prompt for name, persona in config.personas.items()},
        models=tuple(config.models),
        settings=None,
        places=None,
    )
    return policies.resolve(
        Conversation(
            platform=platform, workspace=workspace, channel=channel, thread="".join(thread)
        )
    )


def test_only_what_a_channel_says_itself_is_kept(read):
    assert read(TEXT).channels == {
        "slack": {"model": "big"},
        "slack:T1": {"access": {"require_mention": False}},
        "slack:T1:C1": {
            "persona": "pirate",
            "memory": {"max_tokens": 100},
            "access": {"group_policy": "allowlist"},
        },
    }


def test_a_place_without_a_table_has_the_defaults(read):
    here = policy(read(TEXT), "telegram::42")

    assert (here.model, here.persona, here.memory.max_tokens) == ("small", "default", 900)
    assert here.access.require_mention


def test_a_channel_inherits_from_its_workspace_and_platform(read):
    here = policy(read(TEXT), "slack:T1:C1")

    assert (here.model, here.persona, here.system_prompt) == ("big", "pirate", "Arr.")
    assert (here.memory.kind, here.memory.max_tokens) == ("window", 100)
    assert (here.access.group_policy, here.access.require_mention) == ("allowlist", False)
    assert here.access.allow == ("telegram::1",)


def test_a_thread_inherits_from_its_channel(read):
    config = read(TEXT)

    assert policy(config, "slack:T1:C1:1718.22") == policy(config, "slack:T1:C1")


def test_neighbours_do_not_share(read):
    here = policy(read(TEXT), "slack:T2:C1")

    assert (here.model, here.persona) == ("big", "default")
    assert here.access.require_mention
