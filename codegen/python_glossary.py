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
    "context": "the request that led to the call: session, IP address, user agent",
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
    "action": "what would be done to the resource",
    "active": "whether it is to be active",
    "attributes": "names of the LDAP attributes",
    "batch_size": "most rows to delete in one call",
    "category": "the preference's category",
    "collection_type": "no longer used",
    "connection_id": "the WebSocket connection to reach; empty for all of the user's",
    "content": "the text to search in",
    "cursor_id": "id of the last user of the page before; empty for the first page",
    "endtime": "seconds since the Unix epoch",
    "event": "the event",
    "expire_in_seconds": "seconds until it expires; 0 for never",
    "expression": "the expression, in CEL",
    "html_body": "the body, as HTML",
    "ids": "the ids",
    "image": "content of the image file",
    "message": "the text",
    "msg": "the text",
    "new_expiry": "milliseconds since the Unix epoch",
    "new_roles": "names of the roles, separated by spaces",
    "new_value": "what to store, None to delete the key",
    "notifications": "name of the setting -> value",
    "notify_props": "name of the setting -> value",
    "old_value": "what must be stored now, None if the key must not exist",
    "parent_id": "the post replied to; empty outside threads",
    "payload": "what clients get with the event",
    "permission_id": "the permission's id",
    "receive_emails_accepted": "whether the user agreed to get e-mails",
    "replace": "whether to replace an installed plugin of the same id",
    "requestor_id": "the user who asks",
    "resource_id": "id of the resource",
    "resource_type": "type of the resource, as `plugin_id:type`",
    "role_names": "names of the roles",
    "share_if_not_shared": "whether to share the channel if it is not shared yet",
    "sort_by": "`username` or `status`",
    "status": "`online`, `away`, `dnd` or `offline`",
    "subject": "the subject line",
    "syncable_id": "id of the team or channel",
    "target_type": "type of what the property belongs to",
    "terms_accepted": "whether the user agreed to the terms",
    "to": "the e-mail address to send to",
    "token_id": "the access token's id",
    "topic_type": "no longer used",
    "trigger": "the word after the slash",
    "upload_id": "the upload session's id",
    "user_id1": "one user's id",
    "user_id2": "the other user's id",
    "usernames": "the usernames, without `@`",
    "users": "number of users",
    "value": "what to store, None to delete the key",
    "values": "the values",
}

# Where a name means something else than usual.
_IN_METHOD: dict[str, str] = {
    "enable_plugin.id": "the id in the plugin's manifest",
    "disable_plugin.id": "the id in the plugin's manifest",
    "remove_plugin.id": "the id in the plugin's manifest",
    "get_plugin_status.id": "the id in the plugin's manifest",
    "kv_set.value": "what to store; an empty value deletes the key",
    "kv_set_with_expiry.value": "what to store; an empty value deletes the key",
    "kv_set_with_options.value": "what to store; an empty value deletes the key",
    "kv_compare_and_delete.old_value": "what must be stored now",
    "save_plugin_config.config": "the settings by key",
    "get_property_fields.ids": "the fields' ids",
    "get_property_values.ids": "the values' ids",
}

# What a method returns, where its type does not tell. By Go name.
_RESULTS: dict[str, str] = {
    "LoadPluginConfiguration": "The plugin's settings by key, as the System Console saved them.",
    "GetPluginConfig": "The settings by key.",
    "GetBundlePath": "The absolute path.",
    "IsEnterpriseReady": "Whether it is.",
    "GetServerVersion": "The version, such as `11.4.0`.",
    "GetSystemInstallDate": "Milliseconds since the Unix epoch.",
    "GetDiagnosticId": "The identifier.",
    "GetTelemetryId": "The identifier.",
    "GetTeamIcon": "Content of the image file.",
    "GetLDAPUserAttributes": "Name of the attribute -> value.",
    "GetProfileImage": "Content of the image file.",
    "CopyFileInfos": "The new files' ids, in the order of those given.",
    "GetFile": "Content of the file.",
    "ReadFile": "Content of the file.",
    "UploadData": "The `FileInfo` when the session is complete, None while it waits for more. Its "
    "`file_offset` is then where to go on: ask `get_upload_session`.",
    "GetFileLink": "The address.",
    "GetEmojiImage": "Content of the image file, and its type, such as `png`.",
    "KVCompareAndSet": "Whether it was stored: False if the value stored was another.",
    "KVCompareAndDelete": "Whether it was deleted: False if the value stored was another.",
    "KVSetWithOptions": "Whether it was stored: False if the options' condition was not met.",
    "KVGet": "The value, or None if the key does not exist.",
    "KVList": "The keys.",
    "HasPermissionTo": "Whether the user has it.",
    "HasPermissionToTeam": "Whether the user has it.",
    "HasPermissionToChannel": "Whether the user has it.",
    "RolesGrantPermission": "Whether they do.",
    "PluginHTTP": "The answer of the other plugin.",
    "EnsureBotUser": "The bot's user id.",
    "RegisterPluginForSharedChannels": "The remote cluster's id.",
    "UnshareChannel": "Whether the channel was shared before.",
    "GetPluginID": "The id in the plugin's manifest.",
    "CountPropertyFields": "How many there are.",
    "CountPropertyFieldsForTarget": "How many there are.",
    "RunDataRetention": "How many rows were deleted.",
    "MessagesWillBeConsumed": "The posts that differ from those given; None if none does.",
    "MessagesWillBeConsumedWithContext": "The posts that differ from those given; None if none does.",
    "GenerateSupportData": "The files to add to the packet; None if there are none.",
    "ExecuteCommand": "What the user sees as the answer; None for nothing.",
    "OnSharedChannelsPing": "Whether the plugin and what it connects to are well.",
}


# What a model is, where Go says nothing or nothing of use. By name of the class.
_MODELS: dict[str, str] = {
    "AutocompleteData": "What the client offers while a user types a slash command.",
    "Channel": "A channel: public, private, direct or group message.",
    "ChannelMember": "A user's membership in a channel.",
    "ChannelStats": "How many members, guests, pinned posts and files a channel has.",
    "Command": "A slash command, as a plugin registers it.",
    "CommandArgs": "A slash command as a user sent it, and where.",
    "CommandResponse": "What a slash command answers.",
    "Config": "The server's configuration, as the System Console shows it.",
    "CustomStatus": "The emoji and text that a user shows beside the name.",
    "Dialog": "A form that opens in the user's client.",
    "DialogElement": "One input of a `Dialog`.",
    "Draft": "A message that a user has begun to write.",
    "EmailNotification": "An e-mail about a post, before it is sent.",
    "EmailNotificationContent": "The parts of an e-mail notification that a plugin may change.",
    "Emoji": "A custom emoji.",
    "FileData": "A file by name and content.",
    "FileInfo": "What the server knows of an uploaded file.",
    "Group": "A group of users, from LDAP or made on the server.",
    "GroupMember": "A user's membership in a `Group`.",
    "GroupSyncable": "The link between a `Group` and a team or channel.",
    "License": "The server's licence.",
    "Manifest": "What a plugin says of itself in `plugin.json`: id, version, programs, settings.",
    "MessageAttachment": "A block with title, fields and buttons below a post's text.",
    "MessageAttachmentField": "One field of a `MessageAttachment`.",
    "OAuthApp": "An application that may log in for users by OAuth.",
    "OpenDialogRequest": "The `Dialog` to open, and what the user did that allows it.",
    "Permission": "Something that roles allow.",
    "PluginState": "Whether a plugin is enabled.",
    "Post": "A message in a channel.",
    "PostAction": "A button or menu of a `MessageAttachment`.",
    "PostEmbed": "A preview below a post: of a link, an image or another post.",
    "PostList": "Posts by their ids, with the order in which to show them.",
    "PostMetadata": "What clients need to show a post: embeds, emojis, files, reactions.",
    "Preference": "A setting of a user.",
    "PushNotification": "A notification to a mobile app.",
    "Reaction": "An emoji that a user put on a post.",
    "RemoteCluster": "Another server, or a plugin, that shares channels with this one.",
    "SamlAssertionInfo": "What the identity provider said of a user who logged in by SAML.",
    "ScheduledPost": "A post to be sent at a later time.",
    "Status": "Whether a user is online.",
    "Team": "A team of users, with channels of its own.",
    "TeamMember": "A user's membership in a team.",
    "TeamStats": "How many members a team has.",
    "UserAccessToken": "A token by which programs act for a user.",
    "UserAuth": "How a user logs in.",
    "WebsocketBroadcast": "To whom a WebSocket event goes.",
}


# Fields whose default is not Go's zero value, as source text: what Go's own constructor sets, without which
# the model would not do what its author expects.
_INITIAL: dict[str, str] = {
    # model.NewAutocompleteData; without a role, administrators alone would see it.
    "AutocompleteData.role_id": '"system_user"',
}


_FIELDS: dict[str, str] = {
    "AutocompleteData.role_id": "`system_user`, the default, is everybody; an empty one, administrators.",
}


def initial_value(model: str, field: str) -> str:
    """Return the source of a field's default where it is not Go's zero value."""
    return _INITIAL.get(f"{model}.{field}", "")


def model_note(python_name: str) -> str:
    """Return a sentence about a model, or nothing."""
    return _MODELS.get(python_name, "")


def result_note(go_name: str) -> str:
    """Return a sentence about what a method returns, or nothing."""
    return _RESULTS.get(go_name, "")


def parameter_note(method: str, name: str, conversion: Conversion) -> str:
    """Return what to say about a parameter of a method, without a full stop."""
    known = _IN_METHOD.get(f"{method}.{name}")
    if known is None and (conversion.kind is not ConversionKind.MESSAGE or name == "context"):
        known = _PARAMETERS.get(name)
    if known is None and conversion.kind is ConversionKind.SCALAR and _is_time(name, conversion):
        known = "milliseconds since the Unix epoch"
    return known or ""


def field_note(field: Field, model: str = "") -> str:
    """Return a sentence about a field, or nothing; with the model named, about its field in particular."""
    known = _FIELDS.get(f"{model}.{field.python_name}")
    if known:
        return known
    if _is_time(field.python_name, field.conversion):
        documented = re.search(r"milli|second|epoch|unix", field.doc, re.IGNORECASE)
        return "" if documented else _MILLISECONDS
    return ""


def _is_time(name: str, conversion: Conversion) -> bool:
    return conversion.python_type == "int" and _TIMES.match(name) is not None
