"""What a secret looks like, so that logs, answers and prompts take out the same.

The shapes are narrow enough for prose: `task-management` is no key.
None has a space in it, nor anything beyond ASCII.
"""

import re

TOKENS = re.compile(
    r"xox[abeprs]-[\w-]+|xapp-[\w-]+"  # Slack
    r"|(?<![\w-])sk-(?=[\w-]*\d|[\w-]{20})[\w-]{8,}"  # OpenAI, Anthropic and their like
    r"|(?:gh[pousr]_\w{20,}|github_pat_\w{20,})"
    r"|(?<![A-Z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])"  # AWS
    r"|(?<!\d)\d{6,12}:[\w-]{30,}"  # Telegram
    r"|[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"  # Discord
    r"|eyJ(?:(?!eyJ)[\w-]){5,}\.[\w-]{5,}\.[\w-]*"  # a JSON web token
    r"|(?<=ticket=)[\w-]+|(?<=/webhooks/)\d+/[\w.-]+|(?<=hooks\.slack\.com/)[\w/.-]+",
    re.ASCII,
)
PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)")


def without_tokens(text: str) -> str:
    """Replace what looks like a token."""
    return TOKENS.sub("***", text)
