"""The table of addresses that a stranger may and may not send the bot to."""

import pytest

from bot.backends.files.addresses import is_public, literal
from bot.domain.errors import FileRefused

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "169.254.169.254", "169.254.0.1", "100.64.0.1",
    "100.100.100.200", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111",
          "2a00:1450:4001::1")  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_the_internet_is_closed(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_open(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("host", "found"),
    [("1.1.1.1", "1.1.1.1"), ("2606:4700:0::1111", "2606:4700::1111"), ("files.example", None),
     ("1.example", None), ("0x.example", None), ("", None)],
)  # fmt: skip
def test_a_host_is_an_address_or_a_name(host, found):
    assert literal(host) == found


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0X7F.1", "127.1", "0177.0.0.1", "0",
                                  "127.0.0.1.", "256.1.1.1", "a.1", "0x"])  # fmt: skip
def test_a_number_in_another_spelling_is_refused(host):
    with pytest.raises(FileRefused):
        literal(host)
