"""What generated docstrings say about a parameter or field that Go's comments leave unexplained.

By name, because Mattermost uses a name for one thing throughout. An entry may be narrowed to a method by
`method.name`.
"""

from __future__ import annotations

import re

from codegen.lowered import Conversion, ConversionKind, Field

_MILLISECONDS = "Milliseconds since the Unix epoch."

_TIMES = re.compile(r".*_at$|^at$|^(?:timestamp|since|start_time|end_time|now_time|cutoff_time|expiry)$")

_PARAMETERS: dict[str, str] = {
    "ctx": "the request that led to the call: session, IP address, user agent",
    "user_id": "the user's id",
    "user_ids": "the users' ids",
    "team_id": "the team's id",
    "channel_id": "the channel's id",
    "channel_ids": "the channels' ids",
    "post_id": "the post's id",
    "bot_user_id": "the bot's user id",
    "file_id": "the file's id",
    "file_ids": "the files' ids",
    "emoji_id": "the custom emoji's id",
    "group_id": "the group's id",
    "session_id": "the session's id",
    "plugin_id": "the id in the plugin's manifest",
    "role_id": "the role's id",
    "command_id": "the slash command's id",
    "app_id": "the OAuth app's id",
    "remote_id": "the remote cluster's id",
    "field_id": "the property field's id",
    "value_id": "the property value's id",
    "target_id": "id of what the property belongs to",
    "as_user_id": "the user whose permissions apply",
    "requester_id": "the user who asks",
    "acting_user_id": "the user in whose name it happens",
    "web_conn_id": "id of the WebSocket connection",
    "page": "number of the page, counted from 0",
    "per_page": "entries per page",
    "offset": "entries to skip",
    "limit": "most entries to return",
    "key": "the key, unique within the plugin",
    "count": "how many",
    "time": "milliseconds since the Unix epoch",
    "now_time": "milliseconds since the Unix epoch",
    "name": "the name",
    "username": "the username, without `@`",
    "team_name": "the team's name as in its address",
    "channel_name": "the channel's name as in its address",
    "email": "the e-mail address",
    "term": "what to look for",
    "terms": "what to look for",
    "include_deleted": "whether deleted ones count as well",
    "etag": "the entity tag of an earlier answer",
    "path": "path of the file",
    "permission": "the permission asked about",
    "data": "the content",
    "filename": "name of the file",
}


def parameter_note(name: str, conversion: Conversion) -> str:
    """Return what to say about a parameter, without a full stop."""
    known = _PARAMETERS.get(name)
    if known is None and conversion.kind is ConversionKind.SCALAR and _is_time(name, conversion):
        known = "milliseconds since the Unix epoch"
    return known or ""


def field_note(field: Field) -> str:
    """Return a sentence about a model's field, or nothing."""
    if _is_time(field.python_name, field.conversion):
        documented = re.search(r"milli|second|epoch|unix", field.doc, re.IGNORECASE)
        return "" if documented else _MILLISECONDS
    return ""


def _is_time(name: str, conversion: Conversion) -> bool:
    return conversion.python_type == "int" and _TIMES.match(name) is not None
