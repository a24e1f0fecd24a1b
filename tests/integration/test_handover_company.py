"""A way to a person where several people are: everybody is told, privately asked or not."""

import pytest

from tests.acceptance.house import House


@pytest.mark.parametrize("platform", ["slack", "discord", "telegram"])
async def test_all_who_are_there_hear_that_people_take_over_and_that_the_bot_is_back(
    platform, tmp_path
):
    staff = "telegram" if platform == "slack" else "slack"
    async with House(tmp_path, staff, kinds=("group",)) as house:
        house.stages[platform].open(range(1))
        async with house.running():
            house.say(platform, 0, "Do you open on Sundays?")
            await house.told(platform, 0, "Do you open on Sundays?")
            house.wants(platform, 0)
            request = await house.asked("🙋")
            assert "> Do you open on Sundays?" in request.text
            await house.told(platform, 0, "I have asked a person")
            house.staff.answer("Not yet.", request)
            await house.told(platform, 0, "Not yet.")
            house.say(platform, 0, "Thanks")
            await house.asked("> Thanks")
            house.staff.press(request)
            await house.told(platform, 0, "I answer here again.")
            house.say(platform, 0, "And now?")
            await house.told(platform, 0, "And now?")
        told = [text for text in house.shown(platform, 0) if "I have asked a person" in text]
        assert len(told) == 1
        assert len(house.model.calls) == 2
        if platform != "telegram":
            assert "A person has been asked." in str(house.stages[platform].fake.whispers)


async def test_slack_does_not_name_the_thread_so_the_askers_newest_is_meant(tmp_path):
    async with House(tmp_path, "telegram", kinds=("group",)) as house, house.running():
        slack = house.stages["slack"].fake
        house.wants("slack", 0)
        await house.until(lambda: "I do not know in which thread" in str(slack.whispers))
        assert house.staff.seen() == []
        threads = [
            slack.say(f"<@UBOT> hello {n}", "C0", f"U{n}", also_mention=True) for n in (0, 1)
        ]
        assert threads
        for number in (0, 1):
            await house.told("slack", 0, f"hello {number}")
        house.wants("slack", 0, "mine")
        request = await house.asked("mine")
        house.staff.answer("yours", request)
        await house.told("slack", 0, "yours")
        shown = slack.workspace.messages["C0"]
        assert [m["thread_ts"] for m in shown if "yours" in m["text"]] == threads[:1]
