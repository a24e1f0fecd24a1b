"""No token reaches a log, whoever wrote the line."""

import json
import logging

import pytest

from bot.ops.logs import JsonFormatter, PlainFormatter

TOKENS = ["xoxb-1234567890-abc", "sk-proj-abcdefgh12345678", "ghp_" + "a1" * 18,
          "123456789:" + "A" * 35, "Bearer short", "AKIAIOSFODNN7EXAMPLE"]  # fmt: skip


@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
@pytest.mark.parametrize("frame", ["said {}", "{}", "https://example.com/{}/x", "a\n{}"])
@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_not_written(formatter, frame, token):
    record = logging.LogRecord("x", logging.INFO, "", 0, frame.format(token), None, None)

    line = formatter.format(record)

    assert token not in line
    assert "***" in line


def test_a_line_stays_json():
    record = logging.LogRecord("x", logging.INFO, "", 0, "a\nsk-abcdefgh12345678", None, None)

    assert json.loads(JsonFormatter().format(record))["message"] == "a\n***"
