"""The Slack app as Slack wants it described: paste it at https://api.slack.com/apps.

Socket Mode, so that no port is open; for HTTP events set `socket_mode_enabled` to false and add the
three request URLs (https://docs.slack.dev/reference/app-manifest).
"""

import json

from adapters.slack.commands import SLASH
from bot.domain.commands import Catalogue

_SCOPES = (
    "app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write",
    "commands", "files:read", "groups:history", "groups:read", "im:history", "im:read", "im:write",
    "mpim:history", "mpim:read", "reactions:read", "reactions:write", "usergroups:read",
    "users:read",
)  # fmt: skip
_EVENTS = (
    "agent_session_stopped", "app_home_opened", "app_mention", "app_uninstalled",
    "channel_deleted", "channel_left", "group_deleted", "group_left", "member_joined_channel",
    "member_left_channel", "message.channels", "message.groups", "message.im", "message.mpim",
    "reaction_added", "reaction_removed", "tokens_revoked",
)  # fmt: skip
_HINT_LIMIT = 150  # characters behind the command's name


def manifest(catalogue: Catalogue) -> str:
    """Return the app manifest as JSON, with one slash command for the whole catalogue."""
    about = "Answers questions where you already talk"
    app = {
        "display_information": {"name": "Parley", "description": about},
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "agent_view": {
                "agent_description": about,
                "suggested_prompts": [
                    {"title": "What can you do?", "message": "What can you help me with?"}
                ],
            },
            "bot_user": {"display_name": "Parley", "always_online": True},
            "slash_commands": [
                {
                    "command": SLASH,
                    "description": "Commands of Parley",
                    "usage_hint": _hint(catalogue),
                    "should_escape": True,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(_SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(_EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(app, indent=2) + "\n"


def _hint(catalogue: Catalogue) -> str:
    names = [command.name for command in catalogue if command.rank == "everyone"] or ["help"]
    while len(" | ".join(names)) > _HINT_LIMIT:
        names.pop()
    return " | ".join(names)
