"""Gateway payloads of Discord as its documentation and its gateway show them."""

ME, ROLE, GUILD, CHANNEL, THREAD = "4242", "9001", "9000", "9100", "9110"
FIRST = "1500000000000000000"  # 2026-05-02


def user(id_="501", **more):
    return {
        "id": id_, "username": f"user{id_}", "discriminator": "0", "global_name": f"User {id_}",
        "avatar": None, "public_flags": 0, **more,
    }  # fmt: skip


def message(text="hello", **more):
    """Return a direct message; `guild_id` and `member` make it one of a server."""
    values = {
        "id": FIRST, "channel_id": "7501", "author": user(), "content": text, "type": 0,
        "timestamp": "2026-05-02T10:00:00.000000+00:00", "edited_timestamp": None, "tts": False,
        "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": [],
        "embeds": [], "pinned": False, "flags": 0, "components": [], "channel_type": 1, "nonce": "1",
    }  # fmt: skip
    return {**values, **more}


def aloud(text="hello", **more):
    member = {"roles": ["77", "78"], "nick": "Ann", "joined_at": "2026-01-01T00:00:00+00:00"}
    values = {"channel_id": CHANNEL, "guild_id": GUILD, "member": member, "channel_type": 0}
    return message(text, **{**values, **more})


def guild(**more):
    return {
        "id": GUILD, "name": "server", "owner_id": "1", "member_count": 3, "unavailable": False,
        "joined_at": "2026-01-01T00:00:00+00:00", "system_channel_id": CHANNEL, "emojis": [],
        "features": [], "members": [], "presences": [], "voice_states": [],
        "roles": [{"id": GUILD, "name": "@everyone"},
                  {"id": ROLE, "name": "parley", "tags": {"bot_id": ME}}],
        "channels": [{"id": CHANNEL, "type": 0, "name": "general", "last_message_id": FIRST},
                     {"id": "9200", "type": 15, "name": "questions"}],
        "threads": [{"id": THREAD, "type": 11, "name": "a thread", "parent_id": CHANNEL}],
        **more,
    }  # fmt: skip


def interaction(kind=2, **more):
    data = {"id": "1", "name": "model", "type": 1, "options": [
        {"name": "name", "type": 3, "value": "big"}, {"name": "how", "type": 3, "value": "now"}]}  # fmt: skip
    return {
        "id": FIRST, "application_id": "4000", "type": kind, "data": data, "token": "itoken",
        "version": 1, "channel_id": CHANNEL, "guild_id": GUILD, "locale": "en-GB", "context": 0,
        "channel": {"id": CHANNEL, "type": 0, "name": "general"},
        "member": {"user": user(), "roles": ["77"], "nick": None, "permissions": "8"}, **more,
    }  # fmt: skip


def reaction(emoji="👍", **more):
    return {
        "user_id": "501", "channel_id": CHANNEL, "message_id": FIRST, "guild_id": GUILD,
        "emoji": {"id": None, "name": emoji}, "type": 0, "burst": False, **more,
    }  # fmt: skip


_CHANNEL = {"id": CHANNEL, "type": 0, "name": "general", "guild_id": GUILD, "parent_id": "9050"}
_THREAD = {"id": THREAD, "type": 11, "name": "a thread", "guild_id": GUILD, "parent_id": CHANNEL}
_ROLE = {"guild_id": GUILD, "role": {"id": "78", "name": "guests"}}
_GUILD = {"guild_id": GUILD}
_USER = {"guild_id": GUILD, "user": user()}
_RULE = {"id": "1", "guild_id": GUILD, "name": "words", "creator_id": "1", "event_type": 1}
_EVENT = {"id": "1", "guild_id": GUILD, "name": "party", "status": 1, "entity_type": 3}
_SOUND = {"sound_id": "1", "guild_id": GUILD, "name": "boo", "volume": 1.0}
_STAGE = {"id": "1", "guild_id": GUILD, "channel_id": CHANNEL, "topic": "talk"}
_OWNED = {"id": "1", "sku_id": "2", "application_id": "4000", "user_id": "501"}
_VOTE = {"user_id": "501", "channel_id": CHANNEL, "message_id": FIRST, "answer_id": 1}
_JOINING = {"guild_id": GUILD, "request": {"user_id": "501"}, "status": "SUBMITTED"}
_VOICE = {"guild_id": GUILD, "channel_id": None, "user_id": "501", "session_id": "x"}

DISPATCHES = {
    "READY": {"v": 10, "user": user(ME, bot=True), "guilds": [{"id": GUILD, "unavailable": True}],
              "session_id": "s", "resume_gateway_url": "wss://x", "application": {"id": "4000"}},
    "RESUMED": {"_trace": []},
    "RATE_LIMITED": {"opcode": 8, "retry_after": 30.0, "meta": {}},
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE": {"id": "1", "guild_id": GUILD, "permissions": []},
    "AUTO_MODERATION_RULE_CREATE": _RULE,
    "AUTO_MODERATION_RULE_UPDATE": _RULE,
    "AUTO_MODERATION_RULE_DELETE": _RULE,
    "AUTO_MODERATION_ACTION_EXECUTION": {**_GUILD, "user_id": "501", "content": "bad"},
    "CHANNEL_CREATE": _CHANNEL,
    "CHANNEL_UPDATE": _CHANNEL,
    "CHANNEL_DELETE": _CHANNEL,
    "CHANNEL_PINS_UPDATE": {**_GUILD, "channel_id": CHANNEL, "last_pin_timestamp": None},
    "CHANNEL_TOPIC_UPDATE": {**_GUILD, "id": CHANNEL, "topic": "x"},
    "VOICE_CHANNEL_EFFECT_SEND": {**_GUILD, "channel_id": CHANNEL, "user_id": "501"},
    "VOICE_CHANNEL_STATUS_UPDATE": {**_GUILD, "id": CHANNEL, "status": None},
    "VOICE_CHANNEL_START_TIME_UPDATE": {**_GUILD, "id": CHANNEL, "voice_start_time": None},
    "THREAD_CREATE": {**_THREAD, "newly_created": True},
    "THREAD_UPDATE": _THREAD,
    "THREAD_DELETE": {"id": THREAD, "guild_id": GUILD, "parent_id": CHANNEL, "type": 11},
    "THREAD_LIST_SYNC": {**_GUILD, "threads": [_THREAD], "members": []},
    "THREAD_MEMBER_UPDATE": {**_GUILD, "id": THREAD, "user_id": ME, "flags": 1},
    "THREAD_MEMBERS_UPDATE": {**_GUILD, "id": THREAD, "member_count": 2, "added_members": []},
    "ENTITLEMENT_CREATE": _OWNED,
    "ENTITLEMENT_UPDATE": _OWNED,
    "ENTITLEMENT_DELETE": _OWNED,
    "SUBSCRIPTION_CREATE": _OWNED,
    "SUBSCRIPTION_UPDATE": _OWNED,
    "SUBSCRIPTION_DELETE": _OWNED,
    "GUILD_CREATE": guild(),
    "GUILD_UPDATE": guild(),
    "GUILD_DELETE": {"id": GUILD},
    "GUILD_AUDIT_LOG_ENTRY_CREATE": {**_GUILD, "id": "1", "action_type": 1, "target_id": None},
    "GUILD_BAN_ADD": _USER,
    "GUILD_BAN_REMOVE": _USER,
    "GUILD_EMOJIS_UPDATE": {**_GUILD, "emojis": []},
    "GUILD_STICKERS_UPDATE": {**_GUILD, "stickers": []},
    "GUILD_INTEGRATIONS_UPDATE": _GUILD,
    "GUILD_MEMBER_ADD": {**_USER, "roles": []},
    "GUILD_MEMBER_REMOVE": _USER,
    "GUILD_MEMBER_UPDATE": {**_USER, "roles": []},
    "GUILD_MEMBERS_CHUNK": {**_GUILD, "members": [], "chunk_index": 0, "chunk_count": 1},
    "GUILD_ROLE_CREATE": _ROLE,
    "GUILD_ROLE_UPDATE": _ROLE,
    "GUILD_ROLE_DELETE": {**_GUILD, "role_id": "78"},
    "GUILD_SCHEDULED_EVENT_CREATE": _EVENT,
    "GUILD_SCHEDULED_EVENT_UPDATE": _EVENT,
    "GUILD_SCHEDULED_EVENT_DELETE": _EVENT,
    "GUILD_SCHEDULED_EVENT_USER_ADD": {**_GUILD, "user_id": "501"},
    "GUILD_SCHEDULED_EVENT_USER_REMOVE": {**_GUILD, "user_id": "501"},
    "GUILD_SOUNDBOARD_SOUND_CREATE": _SOUND,
    "GUILD_SOUNDBOARD_SOUND_UPDATE": _SOUND,
    "GUILD_SOUNDBOARD_SOUND_DELETE": _SOUND,
    "GUILD_SOUNDBOARD_SOUNDS_UPDATE": {**_GUILD, "soundboard_sounds": [_SOUND]},
    "SOUNDBOARD_SOUNDS": {**_GUILD, "soundboard_sounds": [_SOUND]},
    "GUILD_JOIN_REQUEST_CREATE": _JOINING,
    "GUILD_JOIN_REQUEST_UPDATE": _JOINING,
    "GUILD_JOIN_REQUEST_DELETE": _JOINING,
    "INTEGRATION_CREATE": {**_GUILD, "id": "1", "type": "discord"},
    "INTEGRATION_UPDATE": {**_GUILD, "id": "1", "type": "discord"},
    "INTEGRATION_DELETE": {**_GUILD, "id": "1"},
    "INTERACTION_CREATE": interaction(),
    "INVITE_CREATE": {**_GUILD, "channel_id": CHANNEL, "code": "x"},
    "INVITE_DELETE": {**_GUILD, "channel_id": CHANNEL, "code": "x"},
    "MESSAGE_CREATE": aloud(),
    "MESSAGE_UPDATE": aloud(edited_timestamp="2026-05-02T10:00:01.5+00:00"),
    "MESSAGE_DELETE": {"id": FIRST, "channel_id": CHANNEL, "guild_id": GUILD},
    "MESSAGE_DELETE_BULK": {"ids": [FIRST, "2"], "channel_id": CHANNEL, "guild_id": GUILD},
    "MESSAGE_REACTION_ADD": reaction(message_author_id=ME, member={"user": user(), "roles": []}),
    "MESSAGE_REACTION_REMOVE": reaction(),
    "MESSAGE_REACTION_REMOVE_ALL": {"channel_id": CHANNEL, "message_id": FIRST, "guild_id": GUILD},
    "MESSAGE_REACTION_REMOVE_EMOJI": reaction(),
    "MESSAGE_POLL_VOTE_ADD": _VOTE,
    "MESSAGE_POLL_VOTE_REMOVE": _VOTE,
    "PRESENCE_UPDATE": {**_USER, "status": "online", "activities": []},
    "STAGE_INSTANCE_CREATE": _STAGE,
    "STAGE_INSTANCE_UPDATE": _STAGE,
    "STAGE_INSTANCE_DELETE": _STAGE,
    "TYPING_START": {**_GUILD, "channel_id": CHANNEL, "user_id": "501", "timestamp": 1},
    "USER_UPDATE": user(),
    "VOICE_STATE_UPDATE": _VOICE,
    "VOICE_SERVER_UPDATE": {**_GUILD, "token": "x", "endpoint": None},
    "WEBHOOKS_UPDATE": {**_GUILD, "channel_id": CHANNEL},
}  # fmt: skip
