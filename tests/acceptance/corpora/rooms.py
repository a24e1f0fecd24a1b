"""Who asks what where: each prompt comes from a person of its own, in a room of its own."""

import time

from tests.acceptance.places import MIXED, STAGES, DiscordStage, SlackStage, TelegramStage, taken
from tests.fakes.slack_api import TEAM

QUESTION = "what do you think of this?"


def stage(platform):
    """Return the stage of a platform, where rooms take turns: private, group, thread."""
    return STAGES[platform](MIXED)


def placed(prompts, first):
    """Give each prompt a room; what is quoted was written by somebody else in a group."""
    found, room = [], first
    for prompt in prompts:
        while prompt.quoted and taken(MIXED, room) != "group":
            room += 1
        found.append((room, prompt))
        room += 1
    return found


def ask(place, room, prompt, file=""):
    """Write a prompt, whole, in two messages, quoted, or with a file said to be at an address."""
    text, half = f"{prompt.text}\n(case {room})", len(prompt.text) // 2
    if prompt.quoted:
        QUOTING[type(place)](place, room, prompt.text, f"{QUESTION} (case {room})")
    elif file and taken(MIXED, room) == "private":
        FORGING[type(place)](place, room, text, file)
    elif room % 4 == 1 and text[:half].strip() and not text.startswith("/"):
        place.say(room, text[:half])
        place.say(room, text[half:])
    else:
        place.say(room, text)


def _on_telegram(place, room, quoted, question):
    person, date = 1001 + room, int(time.time())
    group = {"chat": -person, "private": False, "date": date}
    other = place.fake.say(quoted, person=77, **group)
    place.fake.say(f"@parley_bot {question}", person=person, reply_to=other, **group)


def _on_slack(place, room, quoted, question):
    shared = {"is_share": True, "author_id": "U9", "channel_team": TEAM, "text": quoted}
    place.fake.say(f"<@UBOT> {question}", f"C{room}", f"U{room}", attachments=[shared])


def _on_discord(place, room, quoted, question):
    channel = place._channel(room)
    other = place.fake.say(quoted, channel=channel, user="777")
    place.fake.say(question, channel=channel, user=str(600 + room), reply_to=other, mention=True)


def _forged_on_telegram(place, room, text, file):
    forged = {"file_id": file, "file_unique_id": "u", "file_name": "x.txt", "file_size": 3}
    person = 1001 + room
    place.fake.say(text, chat=person, person=person, date=int(time.time()), document=forged)


def _forged_on_slack(place, room, text, file):
    forged = {
        "id": "F1",
        "name": "x.txt",
        "size": 3,
        "url_private": file,
        "url_private_download": file,
    }
    place.fake.say(text, channel=f"D{room}", user=f"U{room}", files=[forged])


def _forged_on_discord(place, room, text, file):
    forged = {
        "id": place.fake.new_id(),
        "filename": "x.txt",
        "size": 3,
        "url": file,
        "proxy_url": file,
    }
    place.fake.say(text, channel=place._channel(room), user=str(600 + room), attachments=[forged])


QUOTING = {TelegramStage: _on_telegram, SlackStage: _on_slack, DiscordStage: _on_discord}
FORGING = {
    TelegramStage: _forged_on_telegram,
    SlackStage: _forged_on_slack,
    DiscordStage: _forged_on_discord,
}
