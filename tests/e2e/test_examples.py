"""The examples do what their READMEs say."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT, running
from tests.harness import InstalledPlugin, RestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def uploaded_moderator(server: MattermostServer, bundle: BuildBundle) -> InstalledPlugin:
    return InstalledPlugin(server, bundle(ROOT / "examples" / "moderator"))


@pytest.fixture
def moderator(uploaded_moderator: InstalledPlugin) -> Iterator[InstalledPlugin]:
    with running(uploaded_moderator):
        yield uploaded_moderator


def _warnings(server: MattermostServer, user: RestClient) -> list[str]:
    """Return what @moderator wrote to the user."""
    bot = server.admin.get("users/username/moderator")
    return [post["message"] for post in user.posts(user.direct_channel(bot["id"])["id"])]


def test_hello_waves(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], alice: RestClient, channel: Json
) -> None:
    install(bundle(ROOT / "examples" / "hello")).enable()

    assert alice.create_post(channel["id"], "Hello!")["message"] == "Hello! :wave:"
    assert alice.create_post(channel["id"], "Hello there")["message"] == "Hello there"


def test_moderator_rejects_counts_and_warns(
    server: MattermostServer, moderator: InstalledPlugin, team: Json, channel: Json
) -> None:
    user = server.create_user("erin", team=team)
    user.post(f"channels/{channel['id']}/members", {"user_id": user.user_id})

    user.create_post(channel["id"], "a friendly word, no badwords")
    assert user.run_command(channel["id"], "/warnings")["text"] == "You have no warnings."
    for _ in range(2):
        with pytest.raises(RestError, match="Please keep it friendly: badword"):
            user.create_post(channel["id"], "you BadWord!")

    assert user.run_command(channel["id"], "/warnings")["text"] == "You have 2 warnings."
    assert _warnings(server, user) == [
        "Please avoid: badword. This is your warning no. 1.",
        "Please avoid: badword. This is your warning no. 2.",
    ]


def test_moderator_masks_edits_too_and_does_not_notify_when_told_so(
    server: MattermostServer, moderator: InstalledPlugin, team: Json, channel: Json
) -> None:
    user = server.create_user("frank", team=team)
    user.post(f"channels/{channel['id']}/members", {"user_id": user.user_id})
    moderator.configure(words="c++, goto", action="mask", notify=False)

    post = user.create_post(channel["id"], "goto C++")
    assert post["message"] == r"\*\*\*\* \*\*\*"
    edited = user.put(f"posts/{post['id']}/patch", {"message": "no GOTO"})
    assert edited["message"] == r"no \*\*\*\*"
    assert user.run_command(channel["id"], "/warnings")["text"] == "You have 2 warnings."
    assert _warnings(server, user) == []


def test_moderator_lets_administrators_show_and_reset_warnings(
    server: MattermostServer, moderator: InstalledPlugin, alice: RestClient, team: Json, channel: Json
) -> None:
    user = server.create_user("grace", team=team)
    user.post(f"channels/{channel['id']}/members", {"user_id": user.user_id})
    with pytest.raises(RestError):
        user.create_post(channel["id"], "spoiler")

    def answer(client: RestClient, command: str) -> str:
        return str(client.run_command(channel["id"], command)["text"])

    assert answer(server.admin, "/warnings show @grace") == "@grace has 1 warning."
    assert answer(alice, "/warnings show @grace") == "Only system administrators can do that."
    assert answer(server.admin, "/warnings reset grace") == "The warnings of @grace are forgotten."
    assert answer(server.admin, "/warnings show @grace") == "@grace has no warnings."
    assert answer(server.admin, "/warnings show @nobody") == "There is no user @nobody."
    assert answer(alice, "/warnings frobnicate").startswith("Usage: ")


def test_moderator_suggests_its_subcommands_to_administrators_only(
    server: MattermostServer, moderator: InstalledPlugin, alice: RestClient, team: Json
) -> None:
    def suggestions(client: RestClient, typed: str) -> list[str]:
        path = f"teams/{team['id']}/commands/autocomplete_suggestions"
        return [suggestion["Complete"] for suggestion in client.get(path, user_input=typed)]

    assert "warnings" in suggestions(alice, "/warn")
    assert suggestions(server.admin, "/warnings ") == ["warnings show", "warnings reset"]
    assert suggestions(alice, "/warnings ") == []


def test_moderator_loses_no_warning_when_posts_come_at_once(
    server: MattermostServer, moderator: InstalledPlugin, team: Json, channel: Json
) -> None:
    user = server.create_user("heidi", team=team)
    user.post(f"channels/{channel['id']}/members", {"user_id": user.user_id})
    sessions = [server.log_in("heidi") for _ in range(8)]

    def post(session: RestClient) -> None:
        with pytest.raises(RestError):
            session.create_post(channel["id"], "badword")

    threads = [threading.Thread(target=post, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert user.run_command(channel["id"], "/warnings")["text"] == "You have 8 warnings."
    numbers = sorted(message.rsplit(" ", 1)[1] for message in _warnings(server, user))
    assert numbers == [f"{number}." for number in range(1, 9)]
