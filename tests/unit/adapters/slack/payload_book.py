"""Every event type of https://docs.slack.dev/reference/events, with the shape that Slack gives it."""

ITEM = {"type": "message", "channel": "C1", "ts": "1700000000.000100"}
FILE = {"file_id": "F1", "file": {"id": "F1"}, "user_id": "U7"}
CHANNEL = {"id": "C1", "name": "general", "created": 1700000000, "creator": "U7"}
USER = {"id": "U7", "team_id": "T1", "name": "ada", "deleted": False, "profile": {"real_name": "A"}}
SUBTEAM = {"id": "S1", "team_id": "T1", "is_usergroup": True, "handle": "crew", "users": ["U7"]}
INVITE = {"invite": {"id": "I1", "inviting_team": {"id": "T2"}, "inviting_user": {"id": "U8"}}}
FLOW = {"workflow_id": "W1", "workflow_draft_configuration": {"version_id": "1", "app_steps": []}}
META = {"bot_id": "B2", "channel_id": "C1", "user_id": "U7", "message_ts": "1700000000.000100",
        "metadata": {"event_type": "task", "event_payload": {"id": "1"}}}  # fmt: skip
HISTORY = {"latest": "1700000000.000100", "ts": "1700000001.000100"}
MOVED = {"channel": "C1", "user": "U7", "is_moved": 0}
SHARE = {"channel": "C1", "connected_team_id": "E1"}
THREAD = {"assistant_thread": {"user_id": "U7", "channel_id": "D1", "thread_ts": "1700000000.000100",
          "context": {"channel_id": "C1", "team_id": "T1", "enterprise_id": None}}}  # fmt: skip
STEP = {"callback_id": "c", "workflow_step": {"workflow_step_execute_id": "x", "inputs": {}}}
SCOPES = {"scopes": ["files:read"], "trigger_id": "t"}
RESOURCE = {
    "resources": [{"resource": {"type": "im", "grant": {"type": "specific"}}, "scopes": []}]
}

EVENTS = {
    "agent_session_stopped": {"channel": "D1", "thread_ts": "1700000000.000100", "user": "U7",
                              "streaming_message_ts": ["1700000001.000100"]},
    "app_deleted": {}, "app_installed": {"app_id": "A1", "user_id": "U7", "team_id": "T1"},
    "app_home_opened": {"user": "U7", "channel": "D1", "tab": "messages", "view": {"id": "V1"}},
    "app_mention": {"user": "U7", "text": "<@UBOT> hi", "channel": "C1", "ts": "1700000000.000100"},
    "app_rate_limited": {"minute_rate_limited": 1700000000, "team_id": "T1"},
    "app_requested": {"app_request": {"id": "A2", "app": {"id": "A2"}, "user": USER}},
    "app_uninstalled": {}, "app_uninstalled_team": {"team_id": "T1"},
    "app_context_changed": {"user": "U7", "context": {"channel_id": "C1"}},
    "assistant_thread_started": THREAD, "assistant_thread_context_changed": THREAD,
    "call_rejected": {"call_id": "R1", "user_id": "U7", "channel_id": "D1"},
    "channel_archive": MOVED, "channel_created": {"channel": CHANNEL},
    "channel_deleted": {"channel": "C1"}, "channel_history_changed": HISTORY,
    "channel_id_changed": {"old_channel_id": "G1", "new_channel_id": "C1"},
    "channel_left": {"channel": "C1", "actor_id": "U7"}, "channel_rename": {"channel": CHANNEL},
    "channel_shared": SHARE, "channel_unarchive": MOVED, "channel_unshared": SHARE,
    "dnd_updated": {"user": "U7", "dnd_status": {"dnd_enabled": True}},
    "dnd_updated_user": {"user": "U7", "dnd_status": {"dnd_enabled": True}},
    "email_domain_changed": {"email_domain": "a.example"},
    "emoji_changed": {"subtype": "add", "name": "parrot", "value": "https://a.example/p.gif"},
    "entity_details_requested": {"user": "U7", "external_ref": {"id": "1"}, "link": {"url": "x"}},
    "file_change": FILE, "file_comment_added": {**FILE, "comment": {"id": "Fc1"}},
    "file_comment_deleted": {**FILE, "comment": "Fc1"},
    "file_comment_edited": {**FILE, "comment": {"id": "Fc1"}}, "file_created": FILE,
    "file_deleted": FILE, "file_public": FILE, "file_shared": {**FILE, "channel_id": "C1"},
    "file_unshared": FILE,
    "function_executed": {"function": {"id": "Fn1", "callback_id": "f"}, "inputs": {},
                          "function_execution_id": "Fx1", "bot_access_token": "xwfp-1"},
    "goodbye": {}, "grid_migration_finished": {"enterprise_id": "E1"},
    "grid_migration_started": {"enterprise_id": "E1"}, "group_archive": MOVED,
    "group_close": {"channel": "G1", "user": "U7"}, "group_deleted": {"channel": "G1"},
    "group_history_changed": HISTORY, "group_left": {"channel": "G1"},
    "group_open": {"channel": "G1", "user": "U7"}, "group_rename": {"channel": CHANNEL},
    "group_unarchive": MOVED, "hello": {}, "im_close": {"channel": "D1", "user": "U7"},
    "im_created": {"channel": {"id": "D1"}, "user": "U7"}, "im_history_changed": HISTORY,
    "im_open": {"channel": "D1", "user": "U7"},
    "invite_requested": {"invite_request": {"id": "1", "email": "a@a.example"}},
    "link_shared": {"channel": "C1", "message_ts": "1700000000.000100", "user": "U7",
                    "links": [{"domain": "a.example", "url": "https://a.example/1"}]},
    "member_joined_channel": {"user": "U8", "channel": "C1", "team": "T1", "inviter": "U7"},
    "member_left_channel": {"user": "U8", "channel": "C1", "team": "T1"},
    "message": {"channel": "D1", "user": "U7", "text": "hi", "ts": "1700000000.000100"},
    "message_metadata_deleted": {**META, "previous_metadata": META["metadata"]},
    "message_metadata_posted": META, "message_metadata_updated": META,
    "pin_added": {"user": "U7", "channel_id": "C1", "item": ITEM},
    "pin_removed": {"user": "U7", "channel_id": "C1", "item": ITEM, "has_pins": False},
    "reaction_added": {"user": "U7", "reaction": "+1", "item": ITEM, "item_user": "UBOT"},
    "reaction_removed": {"user": "U7", "reaction": "+1", "item": ITEM, "item_user": "UBOT"},
    "resources_added": RESOURCE, "resources_removed": RESOURCE, "scope_denied": SCOPES,
    "scope_granted": SCOPES, "shared_channel_invite_accepted": INVITE,
    "shared_channel_invite_approved": INVITE, "shared_channel_invite_declined": INVITE,
    "shared_channel_invite_received": INVITE, "shared_channel_invite_requested": INVITE,
    "star_added": {"user": "U7", "item": {"type": "message", "channel": "C1", "message": ITEM}},
    "star_removed": {"user": "U7", "item": {"type": "file", "file": {"id": "F1"}}},
    "subteam_created": {"subteam": SUBTEAM},
    "subteam_members_changed": {"subteam_id": "S1", "team_id": "T1", "added_users": ["U7"]},
    "subteam_self_added": {"subteam_id": "S1"}, "subteam_self_removed": {"subteam_id": "S1"},
    "subteam_updated": {"subteam": SUBTEAM}, "team_access_granted": {"team_ids": ["T1"]},
    "team_access_revoked": {"team_ids": ["T1"]},
    "team_domain_change": {"url": "https://a.slack.com", "domain": "a", "team_id": "T1"},
    "team_join": {"user": USER}, "team_rename": {"name": "New", "team_id": "T1"},
    "tokens_revoked": {"tokens": {"oauth": ["U7"], "bot": ["UBOT"]}},
    "user_change": {"user": USER, "cache_ts": 1700000000}, "user_connection": {"subtype": "connect"},
    "user_huddle_changed": {"user": USER}, "user_profile_changed": {"user": USER},
    "user_resource_denied": {"user": "U7", **SCOPES}, "user_resource_granted": {"user": "U7"},
    "user_resource_removed": {"user": "U7", "trigger_id": "t"}, "user_status_changed": {"user": USER},
    "workflow_deleted": FLOW, "workflow_published": FLOW, "workflow_step_deleted": FLOW,
    "workflow_step_execute": STEP, "workflow_unpublished": FLOW, "a_type_of_next_year": {"x": [1, None]},
}  # fmt: skip

SUBTYPES = (
    "assistant_app_thread", "bot_add", "bot_disable", "bot_enable", "bot_message", "bot_remove",
    "canvas_updated", "channel_archive", "channel_canvas_updated", "channel_convert_to_private",
    "channel_convert_to_public", "channel_join", "channel_leave", "channel_name",
    "channel_posting_permissions", "channel_purpose", "channel_topic", "channel_unarchive",
    "document_mention", "ekm_access_denied", "file_comment", "file_mention", "file_share",
    "group_archive", "group_join", "group_leave", "group_name", "group_purpose", "group_topic",
    "group_unarchive", "huddle_thread", "joiner_notification", "me_message", "message_changed",
    "message_deleted", "message_replied", "pinned_item", "reminder_add", "reply_broadcast",
    "sh_room_created", "slackbot_response", "thread_broadcast", "tombstone", "unpinned_item",
)  # fmt: skip


def events():
    """Return every event, the messages of every subtype among them."""
    stamp = {"event_ts": "1700000002.000100"}
    plain = [{"type": kind, **stamp, **body} for kind, body in EVENTS.items()]
    return plain + [
        {"type": "message", "subtype": subtype, **stamp, **EVENTS["message"]}
        for subtype in SUBTYPES
    ]


def callback(event, **payload):
    """Return the payload that an event comes in."""
    grant = {"enterprise_id": None, "team_id": "T1", "user_id": "UBOT", "is_bot": True}
    return {"type": "event_callback", "team_id": "T1", "context_team_id": "T1", "api_app_id": "A1",
            "event_id": "Ev1", "event_time": 1700000002, "event": event,
            "authorizations": [grant], **payload}  # fmt: skip
