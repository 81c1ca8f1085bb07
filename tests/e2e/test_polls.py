"""The example `polls` on a real server: people press its buttons."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
from websockets.sync.client import connect

from tests.e2e.conftest import PLUGINS, ROOT, running
from tests.harness import InstalledPlugin, RestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient, TestBench

pytestmark = pytest.mark.e2e

POLLS = ROOT / "examples" / "polls"
LUNCH = '/poll "What shall we eat?" Soup "A large salad" Pizza'


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> InstalledPlugin:
    return InstalledPlugin(server, bundle(POLLS))


@pytest.fixture
def polls(uploaded: InstalledPlugin) -> Iterator[InstalledPlugin]:
    with running(uploaded):
        yield uploaded


class Shown(NamedTuple):
    """What people see of a poll."""

    post_id: str
    title: str
    votes: dict[str, int]
    footer: str
    buttons: dict[str, str]
    """Name -> id."""

    @classmethod
    def of(cls, post: Json) -> Shown:
        [attachment] = post["props"]["attachments"]
        lines = re.findall(r"^(?:\*\*)?(.+): (\d+) votes?(?:\*\*)?$", attachment["text"], re.MULTILINE)
        return cls(
            post_id=post["id"],
            title=attachment["title"],
            votes={name: int(number) for name, number in lines},
            footer=attachment.get("footer", ""),
            buttons={action["name"]: action["id"] for action in attachment.get("actions") or []},
        )

    @property
    def counts(self) -> list[int]:
        return list(self.votes.values())


def ask(client: RestClient, channel: Json, command: str = LUNCH) -> Shown:
    """Start a poll and return it as it looks."""
    answer = client.run_command(channel["id"], command)
    assert answer["text"] == ""
    return Shown.of(client.posts(channel["id"])[-1])


def look(client: RestClient, poll: Shown) -> Shown:
    return Shown.of(client.get(f"posts/{poll.post_id}"))


def press(client: RestClient, poll: Shown, button: str) -> None:
    client.post(f"posts/{poll.post_id}/actions/{poll.buttons[button]}", {})


@contextmanager
def told(client: RestClient) -> Iterator[list[str]]:
    """Collect what only this person is told: one message, which comes over the WebSocket."""
    url = client.url.replace("http", "ws", 1) + "/api/v4/websocket"
    with connect(url, additional_headers={"Authorization": f"Bearer {client.token}"}, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=60))["event"] == "hello"
        texts: list[str] = []
        yield texts
        while not texts:
            message = json.loads(socket.recv(timeout=60))
            if message.get("event") == "ephemeral_message":
                texts.append(json.loads(message["data"]["post"])["message"])


def call(client: RestClient, path: str, token: str | None = None, body: Json | None = None) -> httpx.Response:
    """Ask for an address of the plugin's directly, as anybody could."""
    sent = client.token if token is None else token
    headers = {"Authorization": f"Bearer {sent}"} if sent else {}
    url = f"{client.url}/plugins/com.example.polls/{path}"
    return httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)


def path_of(polls: InstalledPlugin, poll: Shown, server: MattermostServer) -> str:
    """Return the path of a poll below the plugin's; clients are not told the addresses of buttons."""
    [record] = server.log.find("Created poll", post_id=poll.post_id)
    return f"polls/{record.fields['poll_id']}"


def test_a_poll_is_a_post_with_a_button_for_each_answer(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel)

    assert poll.title == "What shall we eat?"
    assert poll.votes == {"Soup": 0, "A large salad": 0, "Pizza": 0}
    assert list(poll.buttons) == ["Soup", "A large salad", "Pizza", "End the poll"]
    assert poll.footer == "Asked by @alice. Nobody has voted."
    post = alice.get(f"posts/{poll.post_id}")
    assert post["user_id"] == server.admin.get("users/username/polls")["id"]
    assert (post["message"], post["root_id"]) == ("", "")


def test_votes_are_counted_as_they_come_and_can_be_changed(
    polls: InstalledPlugin, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel)

    press(alice, poll, "Soup")
    assert look(bob, poll).counts == [1, 0, 0]
    assert look(bob, poll).footer == "Asked by @alice. 1 person has voted."
    press(bob, poll, "Soup")
    assert look(alice, poll).counts == [2, 0, 0]
    press(bob, poll, "Pizza")
    press(bob, poll, "Pizza")
    assert look(alice, poll).counts == [1, 0, 1]
    assert look(alice, poll).footer == "Asked by @alice. 2 people have voted."
    # A restart forgets nothing.
    polls.disable()
    polls.enable()
    press(bob, poll, "A large salad")
    assert look(alice, poll).counts == [1, 1, 0]


def test_only_who_started_a_poll_can_end_it(
    polls: InstalledPlugin, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel)
    press(bob, poll, "Pizza")

    with told(bob) as texts:
        press(bob, poll, "End the poll")
    assert texts == ["Only who has started a poll can end it."]
    assert look(bob, poll).buttons == poll.buttons

    press(alice, poll, "End the poll")
    ended = look(bob, poll)
    assert ended.buttons == {}
    assert ended.counts == [0, 0, 1]
    assert ended.footer == "Asked by @alice. 1 person has voted, and the poll has ended."
    assert "**Pizza: 1 vote**" in alice.get(f"posts/{poll.post_id}")["props"]["attachments"][0]["text"]
    with pytest.raises(RestError):  # there is no such button any more
        press(bob, poll, "Soup")


def test_a_vote_that_comes_after_the_end_is_not_counted(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel)
    path = path_of(polls, poll, server)
    press(alice, poll, "End the poll")

    assert call(bob, f"{path}/votes/0").json() == {"ephemeral_text": "This poll has ended."}
    assert call(alice, f"{path}/end").json() == {"ephemeral_text": "This poll has ended."}
    assert look(bob, poll).counts == [0, 0, 0]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/poll", "Usage: "),
        ("/poll   ", "Usage: "),
        ('/poll "Lunch?"', "at least two answers"),
        ('/poll "Lunch?" Soup', "at least two answers"),
        ('/poll "Lunch? Soup Salad', "A quotation mark is missing."),
        ('/poll "Lunch?" Soup " "', "is empty"),
        ('/poll "Lunch?" Soup SOUP', "is there twice"),
        ('/poll "Lunch?" ' + " ".join("abcdefghijk"), "at most 10 answers, not 11"),
        (f'/poll "{"x" * 301}" a b', "301 characters; at most 300"),
        (f'/poll "Lunch?" a {"y" * 61}', "at most 60 characters"),
    ],
)
def test_a_command_that_cannot_be_understood_is_answered_with_what_to_do(
    polls: InstalledPlugin, alice: RestClient, channel: Json, command: str, answer: str
) -> None:
    before = alice.posts(channel["id"])

    response = alice.run_command(channel["id"], command)

    assert response["response_type"] == "ephemeral"
    assert answer in response["text"]
    assert alice.posts(channel["id"]) == before


def test_questions_may_hold_what_people_type(
    polls: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel, "/poll “What's  for lunch'; DROP TABLE polls_poll; --?” 100% «Grüße 🍕» don't")

    assert poll.title == "What's for lunch'; DROP TABLE polls_poll; --?"
    assert list(poll.votes) == ["100%", "Grüße 🍕", "don't"]
    press(alice, poll, "Grüße 🍕")
    assert look(alice, poll).counts == [0, 1, 0]


def test_a_poll_in_a_thread_stays_there(polls: InstalledPlugin, alice: RestClient, channel: Json) -> None:
    root = alice.create_post(channel["id"], "Lunch!")
    alice.post("commands/execute", {"channel_id": channel["id"], "command": LUNCH, "root_id": root["id"]})

    assert alice.posts(channel["id"])[-1]["root_id"] == root["id"]


def test_the_command_is_suggested_with_what_it_takes(
    polls: InstalledPlugin, alice: RestClient, team: Json, channel: Json
) -> None:
    def suggestions(typed: str) -> list[Json]:
        path = f"teams/{team['id']}/commands/autocomplete_suggestions"
        found: list[Json] = alice.get(path, user_input=typed, channel_id=channel["id"])
        return found

    assert "poll" in [suggestion["Complete"] for suggestion in suggestions("/pol")]
    assert suggestions("/poll ")[0]["Hint"] == '"Question"'
    assert suggestions("/poll lunch ")[0]["Hint"] == '"Answer"'


def test_only_who_can_read_the_channel_can_vote(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, bob: RestClient, team: Json
) -> None:
    fields = {"team_id": team["id"], "name": "only-alice", "display_name": "Only Alice", "type": "P"}
    private = alice.post("channels", fields)
    poll = ask(alice, private)
    path = path_of(polls, poll, server)

    with pytest.raises(RestError) as caught:
        press(bob, poll, "Soup")
    assert caught.value.status in (403, 404)
    # Past the server's own check, at the plugin's address, they are not even told that it is there.
    nothing = {"ephemeral_text": "There is no such poll."}
    assert call(bob, f"{path}/votes/0").json() == nothing
    assert call(bob, f"{path}/end").json() == nothing
    assert look(alice, poll).counts == [0, 0, 0]


def test_who_votes_is_who_has_logged_in_whatever_a_request_says(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel)
    path = path_of(polls, poll, server)

    assert call(bob, f"{path}/votes/0", token="").status_code == 401
    assert call(bob, f"{path}/votes/0", token="x" * 26).status_code == 401
    assert look(alice, poll).counts == [0, 0, 0]
    forged = {"user_id": alice.user_id, "post_id": poll.post_id, "channel_id": channel["id"]}
    assert call(bob, f"{path}/votes/0", body=forged).json() == {}
    assert call(bob, f"{path}/votes/1", body=forged).json() == {}
    assert look(alice, poll).counts == [0, 1, 0]  # both were Bob's
    assert call(bob, f"{path}/end", body=forged).json() != {}
    assert look(alice, poll).buttons == poll.buttons


@pytest.mark.parametrize("wrong", ["0", "-1", "٣", "1.5", "999999999", "99999999999999999999", "%00", "x"])
def test_addresses_of_nothing_are_answered(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, channel: Json, wrong: str
) -> None:
    poll = ask(alice, channel)
    position = "3" if wrong == "0" else wrong
    nothing = {"ephemeral_text": "There is no such poll."}

    assert call(alice, f"polls/{wrong}/votes/0").json() == nothing
    assert call(alice, f"polls/{wrong}/end").json() == nothing
    assert call(alice, f"{path_of(polls, poll, server)}/votes/{position}").json() == nothing
    assert polls.log(level="error") == []


def test_a_vote_for_a_poll_whose_post_was_deleted_breaks_nothing(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    poll = ask(alice, channel)
    path = path_of(polls, poll, server)
    server.admin.delete(f"posts/{poll.post_id}")

    assert call(alice, f"{path}/votes/0").json() == {}
    assert polls.log(level="error") == []


@pytest.mark.timeout(400)
def test_many_votes_at_once_are_counted_exactly(
    server: MattermostServer, polls: InstalledPlugin, alice: RestClient, team: Json, channel: Json
) -> None:
    voters = [server.create_user(f"voter-{number}", team=team) for number in range(24)]
    for voter in voters:
        voter.post(f"channels/{channel['id']}/members", {"user_id": voter.user_id})
    poll = ask(alice, channel)
    names = list(poll.votes)

    def vote(numbered: tuple[int, RestClient]) -> None:
        number, voter = numbered
        # The last one counts: a third of them each.
        for step in range(3):
            press(voter, poll, names[(number + step) % 3])

    with ThreadPoolExecutor(len(voters)) as threads:
        list(threads.map(vote, enumerate(voters)))

    assert look(alice, poll).counts == [8, 8, 8]
    press(alice, poll, "End the poll")
    assert look(alice, poll).counts == [8, 8, 8]
    assert polls.log(level="error") == []


def v1_sources(directory: Path) -> Path:
    """Lay out version 1 of the plugin: with the first of the example's migrations only."""
    shutil.copytree(PLUGINS / "polls_v1", directory, ignore=shutil.ignore_patterns("__pycache__"))
    migrations = directory / "migrations"
    (migrations / "versions").mkdir(parents=True)
    shutil.copy(POLLS / "migrations" / "env.py", migrations)
    shutil.copy(POLLS / "migrations" / "versions" / "v1_polls_and_votes.py", migrations / "versions")
    return directory


@pytest.mark.timeout(400)
def test_an_update_takes_the_data_along_and_back_again(
    bench: TestBench, bundle: BuildBundle, tmp_path: Path
) -> None:
    old, new = bundle(v1_sources(tmp_path / "polls_v1")), bundle(POLLS)
    server = bench.start_server()
    team = server.create_team("team")
    alice, bob, carol = (server.create_user(name, team=team) for name in ("alice", "bob", "carol"))
    channel = server.create_channel(team, "lunch", alice, bob, carol)

    def press_now(client: RestClient, poll: Shown, button: str) -> None:
        press(client, look(client, poll), button)

    # Version 1 is in use.
    InstalledPlugin(server, old).enable()
    poll = ask(alice, channel)
    press(alice, poll, "Soup")
    press(bob, poll, "Pizza")
    over = ask(bob, channel, '/poll "Over?" Yes No')
    press(carol, over, "No")
    press(bob, over, "End the poll")

    # It is updated while it runs. Nobody touches the posts.
    plugin = InstalledPlugin(server, new)
    assert plugin.status()["version"] == "2.0.0"
    plugin.wait_for_log("Running upgrade v1 -> v2")
    press(carol, poll, "Pizza")
    assert look(alice, poll).votes == {"Soup": 1, "A large salad": 0, "Pizza": 2}
    with told(carol) as texts:
        press(carol, over, "Yes")
    assert texts == ["This poll has ended."]
    press_now(bob, poll, "A large salad")
    assert look(alice, poll).counts == [1, 1, 1]

    # The older version does not run on the newer tables, and leaves them alone.
    with pytest.raises(RestError, match="Unable to restart plugin"):
        InstalledPlugin(server, old)
    assert "Can't locate revision identified by 'v2'" in plugin.status()["error"]
    InstalledPlugin(server, new).enable()
    press_now(bob, poll, "Pizza")

    # So an administrator has them taken back first.
    def answer(client: RestClient, command: str) -> str:
        return str(client.run_command(channel["id"], command)["text"])

    assert answer(alice, "/poll downgrade v1") == "Only system administrators can do that."
    assert answer(server.admin, "/poll downgrade v0").startswith("The tables stay as they are: ")
    press_now(bob, poll, "A large salad")
    assert answer(server.admin, "/poll downgrade v1").startswith("The tables are at revision v1.")
    assert "no polls at the moment" in answer(alice, LUNCH)
    InstalledPlugin(server, old).enable()
    press_now(carol, poll, "Soup")
    assert look(alice, poll).counts == [2, 1, 0]

    # And forward again, with what happened meanwhile.
    InstalledPlugin(server, new).enable()
    press_now(bob, poll, "Soup")
    assert look(alice, poll).counts == [3, 0, 0]
    press_now(alice, poll, "End the poll")
    assert look(alice, poll).buttons == {}
