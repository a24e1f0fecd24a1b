"""Moderation over real SDKs: refusals, answers taken back, moderators who decide with buttons."""

import pytest

from tests.acceptance.house import House
from tests.fakes.slack_api import TEAM

BAD = "vile words"
MODERATORS = f'["telegram::9001", "slack:{TEAM}:U900", "discord::9001"]'


def moderate(house):
    """Let the bot be moderated by the fake that is its model as well."""
    house.model.scores = lambda one: {"hate": 0.9} if BAD in str(one) else {}
    text = house.config.read_text()
    house.config.write_text(f"""{text}
[roles]
moderator = {MODERATORS}
[moderation]
provider = "openai"
mode = "enforce"
base_url = "{house.model.base_url}"
channel = "{house.staff.place}"
""")


@pytest.mark.parametrize(
    ("customer", "staff"), [("telegram", "slack"), ("discord", "telegram"), ("slack", "discord")]
)
async def test_a_refusal_is_told_and_lifted_by_a_moderator_elsewhere(customer, staff, tmp_path):
    async with House(tmp_path, staff) as house:
        moderate(house)
        async with house.running():
            house.say(customer, 0, f"you {BAD}")
            await house.told(customer, 0, "I leave this message unanswered")
            alert = await house.asked("Moderation: 1 message")
            assert f"> you {BAD}" in alert.text
            assert list(alert.buttons) == ["Uphold", "Lift", "Time out", "Block"]
            house.staff.press(alert, "Lift")
            await house.told(customer, 0, "lifted the decision")
            house.say(customer, 0, "hello")
            await house.told(customer, 0, "You said: hello")


@pytest.mark.parametrize("platform", ["telegram", "slack", "discord"])
async def test_an_answer_that_turns_bad_is_replaced_on_each_platform(platform, tmp_path):
    async with House(tmp_path) as house:
        moderate(house)
        house.model.answer = f"A fine beginning of an answer. Then {BAD} come, and more. The end."
        house.model.chunk, house.model.interval = 8, 0.15
        async with house.running():
            house.say(platform, 0, "tell me")
            await house.until(
                lambda: any("A fine beginning" in text for text in house.shown(platform, 0))
            )
            await house.told(platform, 0, "I took my answer back")
            assert not any("A fine beginning" in text for text in house.shown(platform, 0))
        calls = [call for call in house.stages[platform].fake.calls if BAD in str(call.args)]
        assert [call for call in calls if platform != "slack" or "C900" not in str(call.args)] == []
