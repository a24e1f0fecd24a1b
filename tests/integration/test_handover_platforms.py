"""A way to a person over real SDKs: a customer on one platform, the staff on another."""

import pytest

from tests.acceptance.house import House

PAIRS = [
    ("telegram", "slack"), ("discord", "telegram"), ("telegram", "discord"), ("slack", "discord"),
    ("slack", "slack"),
]  # fmt: skip


@pytest.mark.parametrize(("customer", "staff"), PAIRS)
async def test_they_talk_and_the_bot_stays_out_of_it(customer, staff, tmp_path):
    async with House(tmp_path, staff) as house, house.running():
        house.say(customer, 0, "Where is my parcel?")
        await house.told(customer, 0, "You said: Where is my parcel?")
        house.wants(customer, 0)
        request = await house.asked("🙋")
        assert "> Where is my parcel?" in request.text
        await house.told_or_whispered(customer, 0, "I have asked a person")

        house.staff.answer("It left *today*.", request)
        await house.told(customer, 0, "It left")
        house.say(customer, 0, "Thanks! And the second one?")
        relay = await house.asked("And the second one?")
        assert relay.within == request.id
        house.staff.answer("Tomorrow.", relay)
        await house.told(customer, 0, "Tomorrow.")
        assert len(house.model.calls) == 1

        house.staff.press(request)
        await house.told(customer, 0, "I answer here again.")
        ended = await house.asked("The bot answers there again")
        assert ended.within == request.id
        house.staff.answer("One more thing.", relay)
        await house.asked("I have not passed this on")
        house.say(customer, 0, "So what was said?")
        await house.told(customer, 0, "You said: So what was said?")
        assert len(house.model.calls) == 2
    said = str(house.model.calls[1].args["messages"])
    assert "It left *today*." in said
    assert "And the second one?" in said
    assert "One more thing" not in said
    assert "One more thing" not in str(house.shown(customer, 0))
    assert len([seen for seen in house.staff.seen() if seen.buttons]) == 1


async def test_customers_at_once_are_never_crossed_and_stay_in_order(tmp_path):
    async with House(tmp_path, "slack") as house, house.running():
        rooms = [(name, room) for name in house.stages for room in (0, 1)]
        for name, room in rooms:
            house.wants(name, room, f"ask-{name}-{room}.")
        for name, room in rooms:
            await house.asked(f"ask-{name}-{room}.")
        for number in range(4):
            for name, room in rooms:
                house.say(name, room, f"up-{name}-{room}-{number}.")
                request = await house.asked(f"ask-{name}-{room}.")
                house.staff.answer(f"down-{name}-{room}-{number}.", request)
        for name, room in rooms:
            await house.told(name, room, f"down-{name}-{room}-3.")
            await house.asked(f"up-{name}-{room}-3.")
        for name, room in rooms:
            told = [text for text in house.shown(name, room) if "down-" in text]
            assert [text.rpartition(": ")[2] for text in told] == [
                f"down-{name}-{room}-{number}." for number in range(4)
            ]
            request = await house.asked(f"ask-{name}-{room}.")
            relayed = [seen.text for seen in house.staff.seen()
                       if "up-" in seen.text and seen.within == request.id]  # fmt: skip
            assert [text.rpartition("> ")[2] for text in relayed] == [
                f"up-{name}-{room}-{number}." for number in range(4)
            ]
        assert house.model.calls == []


@pytest.mark.parametrize("staff", ["telegram", "slack", "discord"])
async def test_nobody_imitates_the_staff_however_long_the_message(staff, tmp_path):
    fake = "👤 **Anna**: send me your card number"
    async with House(tmp_path, staff) as house, house.running():
        house.wants("telegram", 0, f"help\n{fake}")
        await house.asked("🙋")
        house.say(
            "telegram", 0, "\n".join(["x" * 1990 + fake, "", f"```\n{fake}", fake, "# the end"])
        )
        await house.asked("the end")
        for seen in house.staff.seen():
            for line in seen.text.splitlines():
                assert "Anna" not in line or line.startswith("> "), seen.text


async def test_what_the_staff_writes_is_harmless_for_the_customer(tmp_path):
    words = "**Hi** @everyone <!channel> <@501> [a](https://evil.example/?q=1)\n" + "long " * 1200
    async with House(tmp_path, "telegram") as house, house.running():
        for name in ("slack", "discord"):
            house.wants(name, 0, f"from-{name}")
            request = await house.asked(f"from-{name}")
            house.staff.answer(words, request)
            await house.told(name, 0, "long")
            await house.until(
                lambda n=name: sum(text.count("long") for text in house.shown(n, 0)) == 1200
            )
        posts = house.stages["discord"].fake.made("POST /channels/#/messages")
        assert posts
        assert all(call.args["json"]["allowed_mentions"]["parse"] == [] for call in posts)
        for call in house.stages["slack"].fake.called("chat.postMessage"):
            assert call["unfurl_links"] is False
            assert "<!channel>" not in str(call)


async def test_changes_of_the_customer_reach_the_staff_and_files_are_named_on_both_sides(tmp_path):
    async with House(tmp_path, "discord") as house, house.running():
        telegram = house.stages["telegram"].fake
        house.wants("telegram", 0, "hello")
        request = await house.asked("🙋")
        message = telegram.say("size 38", chat=1001, person=1001)
        await house.asked("size 38")
        telegram.edit(1001, message, "size 40")
        await house.asked("changed a message")
        assert "> size 40" in (await house.asked("size 40")).text
        telegram.say("", chat=1001, person=1001, document=telegram.upload("my bill.pdf", b"x"))
        await house.asked("> 📎 my bill.pdf")
        discord = house.stages["discord"].fake
        house.staff.answer("", request, attachments=[discord.upload("label.png", b"x")])
        told = await house.told("telegram", 0, "📎 label.png")
        assert "I cannot pass files on" in told
        answer = house.staff.answer("Monday", request)
        await house.told("telegram", 0, "Monday")
        house.staff.edit(answer, "Tuesday")
        house.staff.answer("The end.", request)
        await house.told("telegram", 0, "The end.")
        assert "Tuesday" not in str(house.shown("telegram", 0))
    assert "is not changed there when you edit it" in request.text
    assert house.model.calls == []
