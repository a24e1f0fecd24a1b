"""The one way in for files, against servers on loopback: where it goes, and what it takes."""

import gzip
import ssl
import time

import pytest

from bot.backends.files.downloading import Downloader
from bot.domain.errors import FileRefused
from bot.ports.files import Downloaded, Wanted
from tests.fakes.files import FakeFiles, Names, certified

HERE, THERE = "127.0.0.1", "127.0.0.2"  # one stands for the internet, the other for what is inside
TOKEN = {"Authorization": "Bearer secret"}
LOGIN = b"<!-- sign in -->\n<!DOCTYPE html><html><form></form></html>"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    return certified(folder, "files.example", "cdn.example", "evil.example")


@pytest.fixture
async def fake(tls):
    async with FakeFiles(address=HERE, tls=tls) as fake:
        fake.serve("/a.txt", b"hello")
        yield fake


@pytest.fixture
async def inside(tls, fake):
    """A private server on the same port, where nobody may be sent."""
    async with FakeFiles(address=THERE, port=fake.port, tls=tls) as inside:
        inside.serve("/a.txt", b"internal")
        yield inside


@pytest.fixture
def names():
    known = ("files.example", "cdn.example", "evil.example", "unknown.example")
    return Names({name: [HERE] for name in known})


@pytest.fixture
def fetch(fake, names, tls):
    """Fetch a path, or a URL, from the fake; files.example is the platform."""

    async def fetch(place="/a.txt", *, names=names, seconds=10.0, own=(), **wanted) -> Downloaded:
        downloader = Downloader(
            ports=(fake.port,), resolve=names, permits=lambda address: address == HERE, own=own,
            tls=ssl.create_default_context(cafile=tls[0]), seconds=seconds,
        )  # fmt: skip
        url = f"https://files.example:{fake.port}{place}" if place.startswith("/") else place
        wanted = {"types": ("text/", "application/json"), "max_bytes": 100_000} | wanted
        return await downloader.fetch(Wanted(url=url, **wanted))

    return fetch


async def refusal(fetching) -> str:
    with pytest.raises(FileRefused) as caught:
        await fetching
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


async def test_a_file_arrives_with_its_kind_and_its_name(fake, fetch):
    fake.serve("/x", b'{"a": 1}', "application/json",
               **{"Content-Disposition": 'attachment; filename="../../etc/a.json"'})  # fmt: skip

    assert await fetch() == Downloaded(data=b"hello", type="text/plain", name="a.txt")
    assert await fetch("/x") == Downloaded(data=b'{"a": 1}', type="application/json", name="a.json")


async def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(
    fake, inside, fetch
):
    names = Names({"files.example": [[HERE], [THERE]]})

    assert (await fetch(names=names)).data == b"hello"
    assert names.asked == ["files.example"]
    assert "not public" in await refusal(fetch(names=names))
    assert inside.hits == []


async def test_one_private_address_among_public_ones_is_enough_to_refuse(fake, inside, fetch):
    names = Names({"files.example": [HERE, THERE]})

    assert "not public" in await refusal(fetch(names=names))
    assert (fake.hits, inside.hits) == ([], [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_into_the_network_is_not_followed(fake, inside, names, fetch, status):
    names = Names({"files.example": [HERE], "inside.example": [THERE]})
    fake.redirect("/named", f"https://inside.example:{fake.port}/a.txt", status)
    fake.redirect("/numbered", f"https://{THERE}:{fake.port}/a.txt", status)
    fake.redirect("/plain", f"http://files.example:{fake.port}/a.txt", status)
    fake.redirect("/local", "file:///etc/passwd", status)

    assert "not public" in await refusal(fetch("/named", names=names))
    assert "not public" in await refusal(fetch("/numbered", names=names))
    assert "not a usual https" in await refusal(fetch("/plain", names=names))
    assert "not a usual https" in await refusal(fetch("/local", names=names))
    assert inside.hits == []


async def test_a_redirect_leaves_the_list_of_hosts_for_no_one(fake, fetch):
    fake.redirect("/away", f"https://evil.example:{fake.port}/a.txt")
    fake.redirect("/on", f"https://cdn.example:{fake.port}/a.txt")
    hosts = ("files.example", "cdn.example")

    assert "may not be fetched from" in await refusal(fetch("/away", hosts=hosts))
    assert (await fetch("/on", hosts=hosts)).data == b"hello"
    assert (await fetch("/away")).data == b"hello"


async def test_three_redirects_are_followed_and_a_fourth_is_not(fake, fetch):
    for number in range(4):
        fake.redirect(f"/{number}", f"/{number + 1}")
    fake.serve("/4", b"the end")

    assert (await fetch("/1")).data == b"the end"
    assert "without an end" in await refusal(fetch("/0"))


async def test_the_token_goes_to_its_own_hosts_only_and_cookies_to_none(fake, fetch):
    fake.redirect("/away", f"https://cdn.example:{fake.port}/back")
    fake.redirect("/back", f"https://files.example:{fake.port}/a.txt")

    await fetch("/away", headers=TOKEN, token_hosts=("files.example",))
    for name in (".files.example", ".example"):  # what lies below a name, and nothing else
        place = f"https://cdn.example:{fake.port}/a.txt"
        await fetch(place, headers=TOKEN, token_hosts=(name,))

    sent = [("Authorization" in headers, headers["Host"].split(":")[0]) for _, headers in fake.hits]
    assert sent == [
        (True, "files.example"), (False, "cdn.example"), (True, "files.example"),
        (False, "cdn.example"), (True, "cdn.example"),
    ]  # fmt: skip
    assert not any("Cookie" in headers for _, headers in fake.hits)


@pytest.mark.parametrize(
    "place",
    ["https://evil.example:{port}/a.txt", "https://files.example.evil.example:{port}/a.txt",
     "https://evil.example:{port}/files.example", "https://evil.example:{port}/?files.example",
     "https://evilfiles.example:{port}/", "https://files.example@evil.example:{port}/",
     "https://evil.example:{port}\\@files.example/", "https://evil.example:{port}#files.example"],
)  # fmt: skip
async def test_a_forged_address_does_not_get_the_token(fake, fetch, place):
    fake.serve("/", b"hello")

    await refusal(fetch(place.format(port=fake.port), hosts=("files.example",), headers=TOKEN,
                        token_hosts=("files.example",)))  # fmt: skip

    assert fake.hits == []


@pytest.mark.parametrize(
    "place",
    ["http://files.example:{port}/a.txt", "https://files.example/", "https://files.example:22/",
     "gopher://files.example/", "file:///etc/passwd", "ftp://files.example/", "data:text/plain,hello",
     "", "nonsense"],
)  # fmt: skip
async def test_only_https_at_its_usual_port_is_opened(fake, fetch, place):
    assert "not a usual https" in await refusal(fetch(place.format(port=fake.port)))
    assert fake.hits == []


@pytest.mark.parametrize(
    "place",
    ["https://", "https://user:secret@files.example:{port}/a.txt", "https://@:{port}/",
     "https://[::1/", "https://\0", "https://files.example:{port}/" + "a" * 5000,
     "https://localhost:{port}/", "https://" + "a." * 2000 + "example:{port}/"],
)  # fmt: skip
async def test_what_is_no_usual_address_is_refused(fake, inside, fetch, place):
    assert await refusal(fetch(place.format(port=fake.port)))
    assert (fake.hits, inside.hits) == ([], [])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "2130706434", "0x7f000002", "0x7f.0.0.2", "0177.0.0.2", "127.2", "127.0.2",
     "127.0.0.2.", "%31%32%37.0.0.2", "[::ffff:127.0.0.2]", "[::1]", "[fe80::1%25lo]", "0", "０"],
)  # fmt: skip
async def test_a_private_address_is_refused_in_every_spelling(fake, inside, fetch, host):
    assert await refusal(fetch(f"https://{host}:{fake.port}/a.txt"))
    assert (fake.hits, inside.hits) == ([], [])


async def test_an_own_server_is_for_those_who_list_it_only(fetch):
    async with FakeFiles(address=THERE) as own:
        own.serve("/a.txt", b"from the own server")
        origin = f"http://{THERE}:{own.port}"
        names = {"own": (f"{origin}/bot/",), "headers": TOKEN, "token_hosts": (THERE,)}

        arrived = await fetch(f"{origin}/a.txt", hosts=(THERE,), **names)
        assert arrived.data == b"from the own server"
        assert await refusal(fetch(f"{origin}/a.txt", **names))
        assert await refusal(fetch(f"{origin}/a.txt", hosts=("files.example",), **names))
        beside = fetch(f"http://{THERE}:1/a.txt", hosts=(THERE,), **names)
        assert "not a usual https" in await refusal(beside)
        assert len(own.hits) == 1


async def test_a_file_that_lies_about_its_length_is_cut_off(fake, fetch):
    fake.serve("/honest", b"a" * 100_001)
    fake.drip("/silent", [b"a" * 50_000] * 1_000)
    fake.drip("/endless", [b"a" * 50_000], pause=0.001)

    assert "larger than 0.1 MB" in await refusal(fetch("/honest"))
    assert "larger than 0.1 MB" in await refusal(fetch("/silent"))
    assert "larger than 0.1 MB" in await refusal(fetch("/endless"))


async def test_a_file_that_ends_before_its_length_is_not_taken(fake, fetch):
    fake.drip("/short", [b"hello"], **{"Content-Length": "100"})

    assert "cannot be reached" in await refusal(fetch("/short"))


async def test_a_server_that_drips_is_left(fake, fetch):
    fake.drip("/slow", [b"a"], pause=0.02)
    began = time.monotonic()

    assert "too long" in await refusal(fetch("/slow", seconds=0.3))
    assert time.monotonic() - began < 2


async def test_a_packed_body_is_never_unpacked(fake, fetch):
    bomb = gzip.compress(b"a" * 50_000_000)
    fake.serve("/bomb", bomb, **{"Content-Encoding": "gzip"})
    fake.serve("/quiet", bomb)

    assert "packed" in await refusal(fetch("/bomb"))
    assert "not of a kind" in await refusal(fetch("/quiet"))
    assert fake.hits[0][1]["Accept-Encoding"] == "identity"


async def test_a_login_page_in_the_place_of_a_file_is_refused(fake, fetch):
    fake.serve("/a.pdf", LOGIN, "application/pdf")
    fake.serve("/b.txt", b"Please sign in", "text/html; charset=utf-8")

    assert "sign in" in await refusal(fetch("/a.pdf", types=("application/pdf",)))
    assert "sign in" in await refusal(fetch("/a.pdf", types=("application/", "text/")))
    assert "sign in" in await refusal(fetch("/b.txt"))
    assert (await fetch("/a.pdf", types=("text/html",))).type == "text/html"


@pytest.mark.parametrize(
    ("body", "announced", "types", "kind"),
    [
        (b"\x7fELF\x02\x01\x01\0\0\0", "image/png", ("image/",), ""),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/jpeg", ("image/",), "image/png"),
        (b"\x89PNG\r\n\x1a\n\0\0", "text/plain", ("text/",), ""),
        (b"%PDF-1.7\n", "application/octet-stream", ("application/pdf",), "application/pdf"),
        (b"plain words", "application/pdf", ("application/pdf",), ""),
        (b"MZ\x90\0\x03", "text/plain", ("text/",), ""),
        ("Grüße".encode("utf-16"), "", ("text/",), "text/plain"),
        ("Grüße".encode("latin-1"), "text/csv", ("text/",), "text/csv"),
        (b"<p align=center>A *readme*", "text/markdown", ("text/",), "text/markdown"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "", ("image/",), "image/webp"),
        (b"PK\x03\x04....word/document.xml", "", ("application/vnd.",),
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04....payload.exe", "application/pdf", ("application/pdf",), ""),
        (b"OggS\0", "audio/ogg", ("audio/",), "audio/ogg"),
        (b"\0\0\0\x20ftypM4A ", "video/mp4", ("audio/",), "audio/mp4"),
    ],
)  # fmt: skip
async def test_the_first_bytes_say_what_a_file_is(fake, fetch, body, announced, types, kind):
    fake.serve("/file", body, announced)

    if kind:
        assert (await fetch("/file", types=types)).type == kind
    else:
        assert "not of a kind" in await refusal(fetch("/file", types=types))


async def test_what_goes_wrong_on_the_way_is_one_sentence_without_the_address(fake, fetch, names):
    assert await refusal(fetch("/missing-secret")) == (
        "The server of the file answers 404 instead of it."
    )
    for place in ("nowhere.example", "unknown.example"):  # no such name; not in the certificate
        sentence = await refusal(fetch(f"https://{place}:{fake.port}/secret"))
        assert sentence == "The server of the file cannot be reached."


def test_what_is_wanted_shows_no_secrets():
    wanted = Wanted(url="https://a/bot1:secret", types=(), max_bytes=1, headers=TOKEN)

    assert "secret" not in repr(wanted)
