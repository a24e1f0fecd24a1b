"""Answering on Slack: the real SDK on a fake workspace."""

import asyncio
import re

import pytest

from bot.domain.errors import ConfigError, DeliveryError, Gone
from bot.domain.replies import Part, Retraction, Status
from tests.fakes.script import DropAfterAccept, Refuse, Reset, ServerError, TooMany
from tests.fakes.slack import FakeSlack
from tests.integration.slack_rig import Outbox, address, built, reply, sending

THREAD = "1700000000.000100"
PING = re.compile(r"<\\*(!(channel|here|every|subteam)|@U7)")
LONG = "\n\n".join(f"Paragraph {n} " + "of words " * 40 for n in range(60))


async def answer(sender, *pieces, to=None, outbox=None, pause=0.0):
    """Deliver a reply; returns the ids of its messages."""
    outbox = outbox or Outbox()
    receipt = await sender.deliver(to or address(), reply(*pieces, pause=pause), outbox)
    return receipt.messages


async def test_an_answer_that_is_soon_complete_is_one_post():
    async with FakeSlack() as slack, sending(slack) as sender:
        ids = await answer(sender, "It is ", "Tuesday.", to=address("C1", THREAD))
        assert slack.shown("C1", THREAD) == [(ids[0], "It is Tuesday.")]
        assert [call.method for call in slack.calls] == ["auth.test", "chat.postMessage"]
        (post,) = slack.called("chat.postMessage")
        assert post["metadata"]["event_payload"] == {"key": "k1", "part": 0}
        assert "markdown_text" not in post


async def test_what_no_wire_can_carry_is_replaced():
    async with FakeSlack() as slack, sending(slack) as sender:
        await answer(sender, "half of \ud83d an emoji")
        await answer(sender, "**half** of \ud83d", to=address("D2"))
        shown = slack.shown("D1") + slack.shown("D2")
        assert [text for _, text in shown] == ["half of \ufffd an emoji", "**half** of \ufffd"]


async def test_a_direct_message_is_answered_outside_of_threads():
    async with FakeSlack() as slack, sending(slack) as sender:
        await answer(sender, "**Hi**")
        (post,) = slack.called("chat.postMessage")
        assert "thread_ts" not in post
        assert post["markdown_text"] == "**Hi**"


async def test_a_slow_answer_grows_and_ends_whole():
    async with FakeSlack() as slack, sending(slack) as sender:
        words = [f"word{n} " for n in range(20)]
        await answer(sender, *words, to=address("C1", THREAD), pause=0.01)
        assert [text for _, text in slack.shown("C1")] == ["".join(words)]
        assert len(slack.called("chat.update")) >= 1
        assert len(slack.called("assistant.threads.setStatus")) <= 1


async def test_a_long_answer_is_split_and_its_code_stays_code():
    code = "```python\n" + "\n".join(f"print({n})  # {'x' * 60}" for n in range(300)) + "\n```"
    async with FakeSlack() as slack, sending(slack) as sender:
        ids = await answer(sender, "Look:\n\n", code, "\n\nDone.")
        shown = slack.shown("D1")
    assert [id_ for id_, _ in shown] == list(ids)
    assert len(shown) > 1
    for _, text in shown:
        assert len(text) <= 11_000
        assert len(re.findall("^```", text, re.MULTILINE)) % 2 == 0
    lines = [line for _, text in shown for line in text.splitlines() if "print" in line]
    assert lines == [line for line in code.splitlines() if "print" in line]


async def test_no_word_pings_and_no_link_unfurls():
    words = ("<!channel> <!here> <!everyone|x> <@U7> <!subteam^S1> see https://a.example/?q=secret "
             "**and** `<!channel>` &lt;!here> <\\!channel>")  # fmt: skip
    async with FakeSlack() as slack, sending(slack) as sender:
        await answer(sender, words)
        await answer(sender, words.replace("*", "").replace("`", "").replace("\\", ""))
        url = slack.slash("help")
        await answer(sender, words, to=address("C1", hidden=True, reply_via=url))
        await answer(sender, words, to=address("C1", hidden=True))
        await answer(sender, words, *["x "] * 15, to=address("C2", THREAD), pause=0.01)
    calls = [call.args for call in slack.calls if call.method.startswith(("chat.", "response"))]
    assert len(calls) >= 6
    for args in calls:
        markdown = str(args.get("markdown_text", "")) + str(args.get("blocks", ""))
        assert not PING.search(str(args.get("text", "")))
        assert not PING.search(markdown.replace("&lt;", "<"))
        assert args["unfurl_links"] is args["unfurl_media"] is args["link_names"] is False
        assert args["parse"] == "none"


async def test_a_limit_is_obeyed_and_nothing_is_posted_twice():
    async with FakeSlack() as slack, sending(slack) as sender:
        slack.script.on("chat.postMessage", TooMany(0.3))
        started = asyncio.get_running_loop().time()
        await answer(sender, "patience")
        assert asyncio.get_running_loop().time() - started >= 0.3
        assert [text for _, text in slack.shown("D1")] == ["patience"]
        assert len(slack.called("chat.postMessage")) == 2


@pytest.mark.parametrize(
    "fault", [DropAfterAccept(), Reset(), ServerError(502), ServerError(200, "<p>Log in")]
)
@pytest.mark.parametrize("thread", ["", THREAD])
async def test_a_post_of_unknown_fate_is_looked_for_before_it_is_sent_again(fault, thread):
    async with FakeSlack() as slack, sending(slack) as sender:
        question = slack.say("?", "C1", thread=thread or None)
        slack.script.on("chat.postMessage", fault)
        to = address("C1", thread, answers=question)
        ids = await answer(sender, "once", to=to)
        assert slack.shown("C1") == [(ids[0], "once")]
        posts = 1 if isinstance(fault, DropAfterAccept) else 2
        assert len(slack.called("chat.postMessage")) == posts


async def test_where_reading_is_not_allowed_an_unknown_post_is_sent_again():
    async with FakeSlack() as slack, sending(slack) as sender:
        slack.script.on("chat.postMessage", Reset())
        slack.script.on("conversations.history", Refuse("missing_scope"))
        await answer(sender, "anyway")
        assert [text for _, text in slack.shown("D1")] == ["anyway"]


async def test_a_resumed_answer_edits_what_is_there_posts_the_rest_and_deletes_the_surplus():
    async with FakeSlack() as slack, sending(slack) as sender:
        ids = await answer(sender, LONG)
        known = {index: Part(index=index, id=id_) for index, id_ in enumerate(ids)}
        assert len(ids) >= 2
        again = await answer(sender, "Short after all.", outbox=Outbox(known))
        assert slack.shown("D1") == [(again[0], "Short after all.")]
        assert again == (ids[0],)
        longer = await answer(sender, LONG, outbox=Outbox({0: known[0]}))
        assert longer[0] == ids[0]
        assert [id_ for id_, _ in slack.shown("D1")] == list(longer)


async def test_a_resumed_answer_finds_the_message_that_a_killed_process_posted():
    async with FakeSlack() as slack, sending(slack) as sender:
        question = slack.say("?")
        to = address(answers=question)
        (posted,) = await answer(sender, "half an ans", to=to)
        ids = await answer(sender, "half an answer", to=to, outbox=Outbox({0: Part(index=0)}))
        assert slack.shown("D1") == [(posted, "half an answer")]
        assert ids == (posted,)


@pytest.mark.parametrize("error", ["message_not_found", "edit_window_closed"])
async def test_what_cannot_be_edited_is_posted_anew_once(error):
    async with FakeSlack() as slack, sending(slack) as sender:
        (old,) = await answer(sender, "half")
        known = {0: Part(index=0, id=old)}
        for _ in range(2):
            slack.script.on("chat.update", Refuse(error))
            await answer(sender, "the whole", outbox=Outbox(known))
        assert [text for _, text in slack.shown("D1")] == ["the whole"]


async def test_markup_that_slack_refuses_becomes_plainer_with_its_words_intact():
    async with FakeSlack() as slack, sending(slack) as sender:
        slack.script.on("chat.postMessage", Refuse("invalid_blocks"))
        await answer(sender, "# Title\n\n**bold** <tag> `a&b`")
        assert slack.shown("D1")[0][1] == "*Title*\n\n*bold* <tag> `a&b`"
        slack.script.on("chat.postMessage", Refuse("invalid_blocks"), Refuse("invalid_blocks"))
        await answer(sender, "**bold** <tag>", to=address("D2"))
        assert slack.shown("D2")[0][1] == "**bold** <tag>"
        slack.script.on("chat.postMessage", Refuse("msg_too_long"), Refuse("invalid_blocks"))
        await answer(sender, LONG.replace("words", "**words**")[:9_000], to=address("D3"))
        assert len(slack.called("chat.postMessage")[-1]["blocks"]) >= 3


@pytest.mark.parametrize(
    "error", ["channel_not_found", "not_in_channel", "is_archived", "token_revoked"]
)
async def test_a_closed_place_is_gone(error):
    async with FakeSlack() as slack, sending(slack) as sender:
        slack.closed["C9"] = error
        with pytest.raises(Gone, match=error):
            await answer(sender, "anybody?", to=address("C9", THREAD))


async def test_a_retraction_replaces_everything():
    async with FakeSlack() as slack, sending(slack) as sender:
        await answer(sender, "the secret is ", Status(), Retraction("I cannot say that."))
        assert [text for _, text in slack.shown("D1")] == ["I cannot say that."]


async def test_a_broken_reply_leaves_nothing_final():
    async def broken():
        yield Status()
        raise DeliveryError("no more")

    async with FakeSlack() as slack, sending(slack) as sender:
        with pytest.raises(DeliveryError, match="no more"):
            await sender.deliver(address(), broken(), Outbox())
        assert slack.shown("D1") == []


async def test_a_slow_answer_shows_once_that_the_bot_is_busy():
    async with FakeSlack() as slack, sending(slack) as sender:
        for _ in range(2):
            await answer(sender, Status(), Status(), "done", to=address("C1", THREAD), pause=0.03)
        (first, second) = slack.called("assistant.threads.setStatus")
        assert (
            first == second == {"channel_id": "C1", "thread_ts": THREAD, "status": "is thinking…"}
        )


async def test_an_app_that_may_not_show_it_is_busy_tries_once():
    async with FakeSlack() as slack, sending(slack) as sender:
        slack.script.on("assistant.threads.setStatus", Refuse("missing_scope"))
        for _ in range(2):
            await answer(sender, Status(), Status(), "done", to=address("C1", THREAD), pause=0.03)
        assert len(slack.called("assistant.threads.setStatus")) == 1


async def test_a_hidden_answer_goes_to_the_response_url():
    async with FakeSlack() as slack, sending(slack) as sender:
        to = address("C1", hidden=True, reply_via=slack.slash("help"))
        await answer(sender, "only **you**", to=to)
        (whisper,) = slack.whispers
        assert (whisper["via"], whisper["text"]) == ("response_url", "only **you**")
        assert whisper["response_type"] == "ephemeral"
        assert slack.shown("C1") == []


async def test_an_expired_response_url_is_replaced_but_never_by_what_others_can_read():
    async with FakeSlack() as slack, sending(slack) as sender:
        to = address("C1", hidden=True, reply_via=slack.slash("help"))
        slack.expire(to.reply_via)
        await answer(sender, "late", to=to)
        assert [(w["via"], w["user"], w["text"]) for w in slack.whispers] == [
            ("chat.postEphemeral", "U7", "late")
        ]
        slack.closed["C1"] = "channel_not_found"
        await answer(sender, "later", to=to)
        assert [text for _, text in slack.shown("U7")] == ["later"]
        assert slack.shown("C1") == []


@pytest.mark.parametrize("url", ["https://evil.example/x", "http://hooks.slack.com/x", "https://slack.com.evil.example/",
                                 "file:///etc/passwd", "https://10.0.0.1/"])  # fmt: skip
async def test_a_response_url_that_is_not_slacks_is_never_called(url):
    async with FakeSlack() as slack, sending(slack) as sender:
        await answer(sender, "psst", to=address("C1", hidden=True, reply_via=url))
        assert [whisper["via"] for whisper in slack.whispers] == ["chat.postEphemeral"]


async def test_a_refused_token_is_one_sentence():
    async with FakeSlack() as slack:
        slack.script.on("auth.test", Refuse("invalid_auth"))
        with pytest.raises(ConfigError, match=r"adapters\.slack\.bot_token_env: .*invalid_auth"):
            await built(slack).sender.open()


async def test_a_sender_opens_while_slack_is_away():
    async with FakeSlack() as slack:
        slack.script.on("auth.test", Reset())
        async with sending(slack) as sender:
            await answer(sender, "back again")
        assert [text for _, text in slack.shown("D1")] == ["back again"]


async def test_streaming_off_posts_once_however_long_it_takes():
    async with FakeSlack() as slack, sending(slack, streaming="off") as sender:
        await answer(sender, *["word "] * 10, pause=0.01)
        assert slack.called("chat.update") == []
        assert [text for _, text in slack.shown("D1")] == ["word " * 10]
