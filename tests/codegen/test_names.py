from __future__ import annotations

import pytest

from codegen.names import Namer, go_camel_case, pb_go_fields, python_identifier
from codegen.overrides import Overrides
from tests.codegen.repository import OVERRIDES


@pytest.fixture(scope="module")
def namer() -> Namer:
    overrides = Overrides.load(OVERRIDES)
    return Namer(overrides.words, overrides.names)


@pytest.mark.parametrize(
    ("go", "python"),
    [
        ("CreatePost", "create_post"),
        ("KVSet", "kv_set"),
        ("KVCompareAndDelete", "kv_compare_and_delete"),
        ("OnSAMLLogin", "on_saml_login"),
        ("OAuthApp", "oauth_app"),
        ("CreateOAuthApp", "create_oauth_app"),
        ("EnableOutgoingOAuthConnections", "enable_outgoing_oauth_connections"),
        ("GetLDAPUserAttributes", "get_ldap_user_attributes"),
        ("OnWebSocketConnect", "on_websocket_connect"),
        ("WebsocketURL", "websocket_url"),
        ("PluginHTTP", "plugin_http"),
        ("ServeHTTP", "serve_http"),
        ("IPAddress", "ip_address"),
        ("userIDs", "user_ids"),
        ("GetUsersByIds", "get_users_by_ids"),
        ("Id", "id"),
        ("DCRRedirectURIAllowlist", "dcr_redirect_uri_allowlist"),
        ("AmazonS3SSE", "amazon_s3_sse"),
        ("AmazonS3SignV2", "amazon_s3_sign_v2"),
        ("EnableSVGs", "enable_svgs"),
        ("UseAnonymousURLs", "use_anonymous_urls"),
        ("RestrictDMAndGM", "restrict_dm_and_gm"),
        ("VoIPDeviceId", "voip_device_id"),
        ("GitLabSettings", "gitlab_settings"),
        ("Office365OAuth", "office365_oauth"),
        ("CWSAPIURL", "cws_api_url"),
        ("GetAccessControlVisualAST", "get_access_control_visual_ast"),
        ("userId1", "user_id1"),
        ("SetUserStatusTimedDND", "set_user_status_timed_dnd"),
    ],
)
def test_go_names_become_snake_case(namer: Namer, go: str, python: str) -> None:
    assert namer.snake(go) == python


def test_enum_members_lose_what_all_of_them_begin_with(namer: Namer) -> None:
    assert namer.members("ChannelType", ["ChannelTypeOpen", "ChannelTypeDirect"]) == ["OPEN", "DIRECT"]
    assert namer.members("NotificationTarget", ["TargetAuthor", "TargetReporter"]) == ["AUTHOR", "REPORTER"]


def test_a_single_enum_member_loses_its_types_name_only(namer: Namer) -> None:
    assert namer.members("PushSubType", ["PushSubTypeCalls"]) == ["CALLS"]
    assert namer.members("Level", ["DebugNoise"]) == ["DEBUG_NOISE"]


def test_enum_members_that_would_not_be_identifiers_stay_whole(namer: Namer) -> None:
    assert namer.members("Size", ["Size16", "SizeBig"]) == ["SIZE16", "SIZE_BIG"]
    assert namer.members("Mode", ["Mode", "ModeFast"]) == ["MODE", "MODE_FAST"]


def test_keywords_get_an_underscore() -> None:
    assert python_identifier("from") == "from_"
    assert python_identifier("post") == "post"


@pytest.mark.parametrize(
    ("proto", "go"),
    [
        ("PostImage", "PostImage"),
        ("SSOSettings", "SSOSettings"),
        ("kv_set", "KvSet"),
        ("result_2", "Result_2"),
        ("user_id1", "UserId1"),
        ("_x", "XX"),
        ("a__b", "A_B"),
    ],
)
def test_go_field_names_follow_protoc_gen_go(proto: str, go: str) -> None:
    assert go_camel_case(proto) == go


def test_go_field_names_avoid_message_methods_and_getters() -> None:
    fields, oneofs = pb_go_fields([("string", ""), ("kind", "kind"), ("x", ""), ("get_x", "")])
    assert fields == ["String_", "Kind", "X", "GetX_"]
    assert oneofs == {"kind": "Kind_"}
