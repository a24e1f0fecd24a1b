"""A port that cannot be had is one sentence."""

import logging
import socket

import pytest

from bot.domain.errors import ConfigError
from bot.ops import port


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "number", "words"),
    [
        ("127.0.0.1", 70000, "70000 is no port"),
        ("no.such.host.invalid", 8080, "check http.host"),
        ("192.0.2.1", 8080, "check http.host"),
    ],
)
def test_what_cannot_be_listened_on_is_told(host, number, words):
    with pytest.raises(ConfigError, match=rf"^http\.port: .*{words}"):
        port.taken(host, number)


def test_a_taken_port_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(ConfigError, match="is taken by another program"),
    ):
        port.taken("127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "said"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)]
)
def test_only_what_others_can_reach_is_said(host, said, caplog):
    with caplog.at_level(logging.WARNING), port.taken(host, free_port()):
        assert ("open to the network" in caplog.text) is said


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setattr(port, "NEEDED", ("a_package_that_is_not_there",))
    with pytest.raises(ConfigError, match="pip install 'parley-bot"):
        port.taken("127.0.0.1", free_port())
