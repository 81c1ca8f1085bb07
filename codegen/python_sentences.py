"""Sentences of Go's comments that no rule can bring into Python, and what is said instead.

By the text of the comment with single spaces between its words. Nothing (`""`) leaves a sentence out: what it
says holds for Go alone. A test fails for an entry that no comment of the contract has any more.
"""

from __future__ import annotations

__all__ = ["SENTENCES", "in_python"]

SENTENCES: dict[str, str] = {
    # ---- hooks ---------------------------------------------------------------------------------------
    "If an error is returned, the plugin will be terminated.": "If it raises, the plugin does not start.",
    "returns without error": "has returned",
    "Any returned error is logged, but does not stop the plugin. You must be prepared to handle a "
    "configuration failure gracefully.": "An exception is logged, and does not stop the plugin.",
    "An error can be returned to reject the operation. Additionally, a new config object can be returned to "
    "be stored in place of the provided one.": "It may refuse, or return a `Config` to be stored instead.",
    "based on the timestamp returned if no error is returned": "to the timestamp that is returned",
    "Posts that should be left unchanged may be omitted from the returned slice.": "Posts that are left "
    "unchanged may be omitted.",
    "`App.GetProfileImage` can be used to fetch the image bytes.": "`API.get_profile_image` "
    "returns the image.",
    "for which they have been invited via InviteRemote": "they were invited to",
    "invoked during a DataRetentionJob": "invoked while the server deletes what is older than the data "
    "retention policy allows",
    "allows the plugin to implement the http.Handler interface. ": "answers HTTP requests. ",
    "Return true to indicate all is well.": "Return True if all is well.",
    "Return false to indicate there is a problem": "Return False if there is a problem",
    "Fires from the app-layer UpdateChannel and PatchChannel paths so REST, local API, plugin API, import, "
    "and bulk callers all hit it.": "It does not matter who changes the channel: REST, local API, plugins "
    "or an import.",
    "Fires from app.RestoreChannel before the store's Channel().Restore call. Sibling of "
    "ChannelWillBeArchived for the inverse operation.": "See ChannelWillBeArchived for the other way.",
    "Fires from the app-layer SaveScheduledPost and UpdateScheduledPost paths.": "It is new, or was changed.",
    "Fires from the app-layer UpsertDraft path.": "It is new, or was changed.",
    "Return value semantics match MessageWillBePosted.": "It may return what MessageWillBePosted may.",
    # ---- API -----------------------------------------------------------------------------------------
    "dest should be a pointer to a struct that the configuration JSON can be unmarshalled to.": "For an "
    "object of your own class see `Plugin.load_configuration`.",
    "sets the given config and persists the changes": "sets the given config and persists the changes. "
    "Do not pass what `get_config` or `get_unsanitized_config` returned: the server's RPC loses settings "
    "that are False, 0 or empty on the way to the plugin, they are None there, and saving them sets them to "
    "their defaults. Change single settings by the server's REST API (`PUT /api/v4/config/patch`) instead",
    "An error is returned if the user has no preference set with the given category and name, an error is "
    "returned.": "Raises if the user has no such preference.",
    "payload is the data sent with the event. Interface values must be primitive Go types or "
    "mattermost-server/model types.": "`payload` is the data sent with the event, as JSON: models, "
    "dataclasses, enums and times are written as the REST API has them.",
    "Previous version will be replaced on replace true.": "With `replace`, an installed plugin of the same "
    "id is replaced.",
    "Returns a map with attribute names as keys and the user's attributes as values.": "",
    "Inserts a new key if oldValue == nil.": "Inserts a new key if `old_value` is None.",
    "if current value != oldValue or key already exists when inserting": "if the current value is another, "
    "or the key already exists when inserting",
    "if current value != oldValue or key does not exist when deleting": "if the current value is another, or "
    "the key does not exist when deleting",
    "if current value == oldValue or new key is inserted": "if the current value was `old_value`, or a new "
    "key is inserted",
    "if current value == oldValue and the key was deleted": "if the current value was `old_value`, and the "
    "key was deleted",
    "channel and RemoteID (passed by the plugin when registering)": "channel and remote",
    "and builtin commands (those added internally through RegisterCommandProvider)": "and those of the "
    "server itself",
    "that are builtin commands (those added internally through RegisterCommandProvider)": "of the server "
    "itself",
    "with the information provided in the updatedCmd model.Command struct": "with what `updated_cmd` says",
    "The following fields in the command cannot be updated: Id, Token, CreateAt, DeleteAt, and PluginId.": (
        "`id`, `token`, `create_at`, `delete_at` and `plugin_id` cannot be updated."
    ),
    "especially related to `cfg.EmailSettings.PushNotificationContents`, particularly "
    "`model.IdLoadedNotification` and the generic settings. Refer to `app.sendPushNotificationSync` for the "
    "logic used to construct push notifications.": "above all "
    "`Config.email_settings.push_notification_contents`: with `generic` or `id_loaded`, messages must not "
    "travel in notifications.",
    "registers the plugin as a `Remote` for SharedChannels": "registers the plugin as a remote for shared "
    "channels",
    "use `InviteRemote` to invite a remote , or this plugin,": "use InviteRemoteToChannel to invite a "
    "remote, or this plugin,",
    "The FileInfo provides metadata (Name, Size, CreatorId);": "The FileInfo provides `name`, `size` and "
    "`creator_id`;",
    'must be "<callingPluginID>:<type>"': 'must be "<id of the calling plugin>:<type>"',
    'whose Type is "<callingPluginID>:<type>". Version is forced to v0.5 and Active to true.': "whose "
    '`type` is "<id of the calling plugin>:<type>". Its `version` becomes v0.5, and it becomes active.',
    "The reply follows the OpenID AuthZEN evaluation response: Decision plus an optional Context.": "",
    "AccessDecision.IsNoPolicy() reports that the server positively determined no policy governs the "
    "resource — resolved even when the access control engine is unavailable — so the caller can safely apply "
    "its own defaults instead of treating the allow as an explicit grant. Any returned error means the "
    "decision could not be computed and the plugin MUST fail closed (deny).": "The `context` of the decision "
    "tells whether no policy governs the resource: then apply defaults of your own rather than take it for "
    "a permission. If this raises, nothing was decided: deny.",
    "Returns a not-found error if": "Raises `NotFound` if",
    "Type mismatches return a not-found error (fail closed).": "Raises `NotFound` if the type is another.",
    # ---- models --------------------------------------------------------------------------------------
    "the PDP's answer to an AccessRequest. It follows the OpenID AuthZEN evaluation response: a boolean "
    "Decision plus an optional Context carrying additional detail.": "the answer to a request for access: "
    "`decision`, and in `context` more about it, as in OpenID AuthZEN.",
    "Can be a single value or a slice for 'in'.": "A single value, or a list for `in`.",
    "(LiteralValue or AttributeValue)": "(a literal or an attribute)",
    " It is populated lazily by App-layer hydrators and is therefore unset on channel reads that don't pass "
    'through one of those seams. Consumers that care about a specific action (e.g. "membership") should '
    "check PolicyActions[action] and fall back to PolicyEnforced only when the stronger meaning is "
    "acceptable. Empty/nil means either no policy or no hydration was performed.": " Empty or None also "
    "where the server did not look it up.",
    "For requests this is built in app/plugin_requests.go For hooks, app.PluginContext() is called.": "",
    "contains the output from the LastInsertID and RowsAffected methods for a given set of rows. It is used "
    "to embed another round-trip to the server, and helping to avoid tracking results on the server.": (
        "says what a statement without rows did."
    ),
    'testing bool functionality. Boolean feature flags interpret "on" or "true" as true and all other values '
    "as false.": 'tests. The server reads "on" and "true" as True, everything else as False.',
    "Use the IsChannelPermissionPoliciesEnabled() and IsPolicySimulationEnabled() helpers below rather than "
    "checking PermissionPolicies + the sub-flag manually at every call site — they encapsulate the "
    "dependency so a future renaming / consolidation only has to update one place.": "",
    "Read via FeatureFlags.IsChannelPermissionPoliciesEnabled() so the PermissionPolicies dependency is "
    "enforced at every call site.": "",
    "Read via FeatureFlags.IsPolicySimulationEnabled() so the PermissionPolicies dependency is enforced at "
    "every call site.": "",
    "pointer to distinguish NULL (no preview) from empty data": "None where there is no preview",
    "either a string or an int64": "a `str` or an `int`",
    "provides a simple implementation of PropertyOption for plugins using a map[string]string for flexible "
    "key-value storage": "is an option of a property, as names and values of your own",
    " (in its Attrs blob under PropertyAttrsOwners)": " (in its `attrs`)",
    "; PermissionValues is left at the normal default": "",
    "matching ActingAsScope against a field's owners": "matching `acting_as_scope` against a field's owners",
    "IsValid requires exactly one of CreateAt or UpdateAt to be positive": "Exactly one of CreateAt and "
    "UpdateAt has to be positive",
    "Invariants enforced by IsValid:": "The server refuses options that break a rule:",
    " The specific permission checked per scope is documented at hasPropertyFieldPermissionLevel in the app "
    "package.": "",
    "This struct's serializer methods are auto-generated. If a new field is added/removed, please run make "
    "gen-serialized.": "",
    'If "home" is true, then the shared channel is homed locally and "SharedChannelRemote" table contains '
    'the remote clusters that have been invited. If "home" is false, then the shared channel is homed '
    'remotely, and "RemoteId" field points to the remote cluster connection in "RemoteClusters" table.': (
        "With `home` it is a channel of this server; without, of the remote cluster with the id `remote_id`."
    ),
    "as the payload of a `RemoteClusterMsg`": "as a message",
    "derived by the store via EXISTS on AccessControlPolicies(Type='team'). Use HasMembershipPolicyAction "
    "for enforcement — this is a read-path signal only.": "whether an access control policy of the type "
    "`team` exists. It is to be shown, not to be relied on.",
    "Deprecated telemetry: none": "",
    "(ExpiresAt - LastNotifiedAt)": "the difference of ExpiresAt and LastNotifiedAt",
}


def in_python(paragraph: str) -> str:
    """Return a paragraph of a Go comment with the sentences that are told differently in Python."""
    for go, python in SENTENCES.items():
        if go in paragraph:
            paragraph = paragraph.replace(go, python)
    return " ".join(paragraph.split())
