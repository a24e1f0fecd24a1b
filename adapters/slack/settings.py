"""What the operator may set about Slack."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """One Slack app in one workspace or organisation."""

    enabled: bool = False
    bot_token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105
    app_token_env: str = "SLACK_APP_TOKEN"  # noqa: S105
    signing_secret_env: str = "SLACK_SIGNING_SECRET"  # noqa: S105
    base_url: str = "https://slack.com/api/"
    mode: Literal["socket", "http"] = "socket"  # "http" opens a port: put a TLS proxy before it
    http_host: str = "127.0.0.1"
    http_port: int = 3000
    http_path: str = "/slack/events"
    backfill_messages: int = 200  # read at most per channel after an interruption; 0 reads nothing
    backfill_hours: float = 24.0
    settle_s: float = 10.0  # how late Slack may show a message whose outcome is unknown
