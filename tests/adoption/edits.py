"""What is changed in the copied modules: what a server has to change, and what makes the copy fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ADOPTION", "NEWER_API", "NEWER_MODEL", "PUBLIC_GAP", "VERSION_GAP", "Edit", "EditError"]


class EditError(Exception):
    """A file is not what the edits were written for: the pinned server or `server/public` is another."""


@dataclass(frozen=True)
class Edit:
    """A change of one file.

    Attributes:
        file: Its path in the module.
        pattern: A regular expression that must be found.
        replacement: What takes the place of every match, as `re.sub` has it.
    """

    file: str
    pattern: str
    replacement: str

    def apply(self, module: Path) -> None:
        """Change the file.

        Raises:
            EditError: The pattern is not there.
        """
        path = module / self.file
        before = path.read_text(encoding="utf-8")
        after = re.sub(self.pattern, self.replacement, before)
        if after == before:
            raise EditError(f"{path}: nothing matches {self.pattern}: see tests/adoption/edits.py")
        path.write_text(after, encoding="utf-8")


# --- What docs/upstream.md says a server changes, all of it.

_PLUGIN = '"github.com/mattermost/mattermost/server/public/plugin"'
_HOST = '"github.com/mattermost-plugin/mattermost-plugin/go/host"'


def _takes_host(file: str) -> list[Edit]:
    """Return the edits by which a file names the environment of package host."""
    return [
        Edit(file, r"\*plugin\.Environment\b", "*host.Environment"),
        Edit(file, re.escape(_PLUGIN), rf"{_HOST}\n\t{_PLUGIN}"),
    ]


ADOPTION: list[Edit] = [
    *_takes_host("channels/app/channels.go"),
    *_takes_host("channels/app/file.go"),
    *_takes_host("channels/app/platform/metrics.go"),
    *_takes_host("channels/app/platform/service.go"),
    *_takes_host("channels/app/plugin.go"),
    *_takes_host("channels/app/shared_channel.go"),
    Edit("channels/app/plugin.go", r"plugin\.NewEnvironment\(", "host.NewEnvironment("),
]

# --- What makes the pinned server fit a `server/public` that is newer than the one it was written for, as no
# module proxy has a server that was. None of this is about plugins, but that their API has methods that the
# server lacks.

VERSION_GAP: list[Edit] = [
    Edit(
        "channels/store/sqlstore/role_store.go",
        r"!role\.IsValidWithoutId\(\)",
        "role.IsValidWithoutId() != nil",
    ),
    Edit("channels/store/sqlstore/user_store.go", r"user\.PreSave\(\)", "user.PreSave(hasherOfServer{})"),
    Edit(
        "channels/store/sqlstore/user_store.go",
        r'("github.com/mattermost/mattermost/server/v8/channels)/store"',
        r'\1/app/password/hashers"\n\t\1/store"',
    ),
    Edit(
        "channels/store/sqlstore/user_store.go",
        r"\Z",
        "\ntype hasherOfServer struct{}\n\n"
        "func (hasherOfServer) Hash(password string) (string, error) { return hashers.Hash(password) }\n",
    ),
    Edit(
        "config/client.go",
        r".*(ExperimentalChannelCategorySorting|EnableChannelScopeAccessControl|LoginButton\w*Color).*\n",
        "",
    ),
    Edit(
        "channels/app/channel.go",
        r"\*a\.Config\(\)\.ExperimentalSettings\.ExperimentalChannelCategorySorting",
        "false",
    ),
    Edit("platform/services/imageproxy/atmos_camo.go", r"\*proxySettings\.RemoteImageProxy\w+", '""'),
    Edit("platform/services/imageproxy/imageproxy.go", r"model\.ImageProxyTypeAtmosCamo", '"atmos/camo"'),
    *(
        Edit(
            file,
            r"\|\|\n[^\n]*\.RemoteImageProxyURL[^\n]*\n[^\n]*\.RemoteImageProxyOptions\) \{",
            "{",
        )
        for file in ("channels/app/post_metadata.go", "channels/app/server.go")
    ),
    Edit("channels/app/platform/support_packet.go", r"Connectios", "Connections"),
    Edit(
        "channels/app/plugin.go",
        r"return NewPluginAPI\(a, rctx, manifest\)",
        "return &newerAPI{PluginAPI: NewPluginAPI(a, rctx, manifest)}",
    ),
]

NEWER_API = """package app

import "github.com/mattermost/mattermost/server/public/plugin"

// later are the methods of plugin.API that this server does not have.
type later struct{ plugin.API }

type newerAPI struct {
	*PluginAPI
	later
}
"""

_FLAGS = (
    "AttributeBasedAccessControl",
    "CloudAnnualRenewals",
    "CloudDedicatedExportUI",
    "CloudIPFiltering",
    "ConsumePostHook",
    "CustomProfileAttributes",
    "EnableExportDirectDownload",
    "EnableRemoteClusterService",
    "EnableSharedChannelsMemberSync",
    "WebSocketEventScope",
)


def _field(file: str, struct: str, *fields: str) -> Edit:
    declared = "".join(f"\t{field}\n" for field in fields)
    return Edit(file, rf"(?m)^type {struct} struct \{{\n", f"type {struct} struct {{\n{declared}")


PUBLIC_GAP: list[Edit] = [
    _field("model/feature_flags.go", "FeatureFlags", *(f"{flag} bool" for flag in _FLAGS)),
    _field("model/shared_channel.go", "SharedChannelUser", "LastMembershipSyncAt int64"),
    _field("model/shared_channel.go", "SharedChannelRemoteStatus", "NextSyncAt int64"),
]
"""Fields of `server/public` that the server uses and that are gone."""

NEWER_MODEL = """package model

import "encoding/json"

// What the server uses and is gone or has another name.

type ChannelCounts struct {
	Counts, CountsRoot, UpdateTimes map[string]int64
}

func (*ChannelCounts) Etag() string { return "" }

type (
	SlackAttachment      = MessageAttachment
	SlackAttachmentField = MessageAttachmentField
)

const (
	PostTypeSlackAttachment                  = PostTypeMessageAttachment
	CustomProfileAttributesPropertyGroupName = "custom_profile_attributes"
	AuditEventImportTeam                     = "importTeam"
	AuditEventSlackImport                    = "slackImport"
)

var (
	ParseSlackAttachment     = ParseMessageAttachment
	StringifySlackFieldValue = StringifyMessageAttachmentFieldValue
	PermissionImportTeam     = PermissionManageSystem
)

func SanitizeAndValidatePropertyValue(_ *CPAField, value json.RawMessage) (json.RawMessage, error) {
	return value, nil
}

func (*CPAField) SanitizeAndValidate() *AppError { return nil }
"""
