"""Sizes that platforms claim, and addresses that may be given a token."""

import pytest

from adapters.kit.files import hosts_of, size

HOSTS = ("files.example", "files-edge.example")


@pytest.mark.parametrize(
    ("said", "expected"),
    [(7, 7), (0, 0), (-1, 0), (True, 0), ("7", 0), (None, 0), (1.5, 0), (10**400, 0), ({}, 0)],
)
def test_a_size_is_a_number_of_bytes_or_nothing(said, expected):
    assert size(said) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/a?b=c#d",
        "https://FILES.example/a",
        "https://files.example:443/a",
        "https://files-edge.example",
    ],
)
def test_the_hosts_of_a_platform_are_its_own(url):
    assert hosts_of(url, HOSTS, "https://api.example/api/") == HOSTS


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/a",
        "//files.example/a",
        "http://files.example/a",
        "https://evil.example/files.example",
        "https://files.example.evil.example/a",
        "https://evilfiles.example/a",
        "https://files.example@evil.example/a",
        "https://me:you@files.example/a",
        "https://files.example:8443/a",
        "https://files.example:port/a",
        "https://evil.example\\@files.example/a",
        "https://files.example\\.evil.example/a",
        "https://files.example/\r\nHost: evil.example",
        "https://files.example/ a",
        "https://files.example./a",
        "https://[::1/a",
        "https://127.0.0.1/a",
        "javascript://files.example/%0aalert(1)",
        "https://fileś.example/a",
    ],
)
def test_no_other_address_leads_there(url):
    assert hosts_of(url, HOSTS, "https://api.example/api/") == ()


@pytest.mark.parametrize("host", ["127.0.0.1:5", "localhost:5", "[::1]:5"])
def test_a_platform_of_this_machine_keeps_its_files_itself(host):
    base = f"http://{host}/api/"
    assert hosts_of(f"http://{host}/file/1", HOSTS, base)
    others = ("http://127.0.0.1:6/", "http://localhost/", f"https://{host}/", f"http://a@{host}/")
    assert not any(hosts_of(url, HOSTS, base) for url in (*others, "https://files.example/a"))
