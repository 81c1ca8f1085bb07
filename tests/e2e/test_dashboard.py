"""The example `dashboard` on a real server: what its WebSocket tells to whom, and its page in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import websockets

from tests.e2e.browsing import browsing
from tests.e2e.conftest import ROOT, running
from tests.e2e.dashboard_live import do, get_activity, live_address, watching
from tests.harness import InstalledPlugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Page

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e

PATIENCE = 30_000  # milliseconds; only a failing test waits so long

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def dashboard(server: MattermostServer, bundle: BuildBundle) -> Iterator[InstalledPlugin]:
    plugin = InstalledPlugin(server, bundle(ROOT / "examples" / "dashboard"))
    with running(plugin):
        yield plugin


@pytest.fixture
def site(server: MattermostServer, dashboard: InstalledPlugin) -> str:
    return f"{server.url}/plugins/{dashboard.id}/"


@pytest.fixture
def someone(server: MattermostServer, team: Json) -> RestClient:
    """A user of the test's own."""
    return server.create_user(f"dashboard-{next(_numbers)}", team=team)


@pytest.fixture
def private_channel(server: MattermostServer, team: Json, alice: RestClient) -> Json:
    """A private channel with Alice in it; the administrator who made it has left."""
    fields = {"team_id": team["id"], "name": f"private-{next(_numbers)}", "type": "P"}
    channel: Json = server.admin.post("channels", {**fields, "display_name": fields["name"]})
    add_member(server, channel, alice)
    remove_member(server, channel, server.admin)
    return channel


def add_member(server: MattermostServer, channel: Json, user: RestClient) -> None:
    server.admin.post(f"channels/{channel['id']}/members", {"user_id": user.user_id})


def remove_member(server: MattermostServer, channel: Json, user: RestClient) -> None:
    server.admin.delete(f"channels/{channel['id']}/members/{user.user_id}")


async def test_everything_that_happens_in_a_channel_is_told(
    site: str,
    server: MattermostServer,
    alice: RestClient,
    bob: RestClient,
    someone: RestClient,
    channel: Json,
) -> None:
    async with watching(site, alice) as live:
        await live.until(lambda: live.shows(channel))
        post = await do(bob.create_post, channel["id"], "the\n  plan")
        await live.until_told(channel, "post", "bob", "the plan")
        await do(alice.react, post["id"], "tada")
        await do(bob.put, f"posts/{post['id']}/patch", {"message": "the better plan"})
        await do(add_member, server, channel, someone)
        await do(remove_member, server, channel, someone)
        # What is told once was told before: the server calls the hooks of different requests in any order.
        wanted = {
            ("post", "bob", "the better plan"),
            ("edit", "bob", "the better plan"),
            ("reaction", "alice", ":tada:"),
            ("join", someone.username, ""),
            ("leave", someone.username, ""),
        }
        await live.until(lambda: wanted <= set(live.events(channel)))
        counts = live.counts(channel)

    assert [counts[kind] for kind in ("post", "edit", "delete", "reaction", "leave")] == [1, 1, 0, 1, 1]


async def test_a_deleted_post_and_its_replies_cannot_be_read_any_more(
    site: str, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    async with watching(site, alice) as live:
        post = await do(bob.create_post, channel["id"], "a secret by mistake")
        await do(lambda: alice.create_post(channel["id"], "what secret?", root_id=post["id"]))
        await live.until_told(channel, "post", "alice", "what secret?")
        await do(bob.delete, f"posts/{post['id']}")
        await live.until_told(channel, "delete", "bob", "")

    assert {text for _, _, text in live.events(channel)} == {""}
    assert live.counts(channel)["post"] == 2


async def test_only_members_are_told_and_administrators_are_no_exception(
    site: str,
    server: MattermostServer,
    alice: RestClient,
    bob: RestClient,
    private_channel: Json,
    channel: Json,
) -> None:
    direct = await do(alice.direct_channel, alice.user_id)
    async with (
        watching(site, alice) as own,
        watching(site, bob) as bobs,
        watching(site, server.admin) as admins,
    ):
        for place in (private_channel, direct):
            await do(alice.create_post, place["id"], "between us")
            await own.until_told(place, "post", "alice", "between us")
        # What comes later has been told to them all: then the rest would have been, too.
        await do(alice.create_post, channel["id"], "for everybody")
        for live in (bobs, admins):
            await live.until_told(channel, "post", "alice", "for everybody")

        for live in (bobs, admins):
            assert "between us" not in live.told
            assert private_channel["id"] not in live.told
            assert direct["id"] not in live.told
    for user in (bob, server.admin):
        told = await do(get_activity, site, user)
        assert channel["id"] in told.text
        assert private_channel["id"] not in told.text


async def test_a_channel_appears_with_joining_and_disappears_with_leaving(
    site: str,
    server: MattermostServer,
    alice: RestClient,
    bob: RestClient,
    private_channel: Json,
    channel: Json,
) -> None:
    await do(alice.create_post, private_channel["id"], "before")
    async with watching(site, bob) as live:
        assert not live.shows(private_channel)
        await do(add_member, server, private_channel, bob)
        await live.until_told(private_channel, "post", "alice", "before")
        await do(alice.create_post, private_channel["id"], "meanwhile")
        await live.until_told(private_channel, "post", "alice", "meanwhile")

        await do(remove_member, server, private_channel, bob)
        await do(alice.create_post, private_channel["id"], "afterwards")
        await live.until(lambda: not live.shows(private_channel))
        await do(alice.create_post, channel["id"], "elsewhere")
        await live.until_told(channel, "post", "alice", "elsewhere")

    assert "afterwards" not in live.told
    assert private_channel["id"] not in (await do(get_activity, site, bob)).text


async def test_leaving_a_team_takes_its_channels_away(
    site: str, server: MattermostServer, team: Json, someone: RestClient, channel: Json
) -> None:
    await do(add_member, server, channel, someone)
    async with watching(site, someone) as live:
        assert live.shows(channel)
        await do(server.admin.delete, f"teams/{team['id']}/members/{someone.user_id}")
        await live.until(lambda: live.channels == {})


async def test_direct_messages_carry_the_name_of_the_other(
    site: str, alice: RestClient, someone: RestClient
) -> None:
    async with watching(site, alice) as own, watching(site, someone) as others:
        direct = await do(alice.direct_channel, someone.user_id)
        await do(alice.create_post, direct["id"], "psst")
        for live, name in ((own, f"@{someone.username}"), (others, "@alice")):
            await live.until_told(direct, "post", "alice", "psst")
            assert live.channels[direct["id"]]["name"] == name


async def test_nobody_is_told_anything_without_a_session(site: str) -> None:
    page = await do(lambda: httpx.get(site, trust_env=False, timeout=60))
    assert (page.status_code, "Log in to Mattermost" in page.text) == (401, True)
    assert (await do(get_activity, site, None)).status_code == 401
    async with websockets.connect(live_address(site), proxy=None) as connection:
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_pages_of_other_sites_cannot_listen_with_the_cookies_of_this_one(
    site: str, server: MattermostServer, alice: RestClient
) -> None:
    cookie = {"Cookie": f"MMAUTHTOKEN={alice.token}"}
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(
            live_address(site),
            additional_headers=cookie,
            origin=websockets.Origin("https://evil.example"),
            proxy=None,
        )
    assert refused.value.response.status_code == 403
    async with websockets.connect(
        live_address(site), additional_headers=cookie, origin=websockets.Origin(server.url), proxy=None
    ) as connection:
        assert json.loads(await connection.recv())["whole"]


async def test_the_stream_ends_with_the_session(
    site: str, server: MattermostServer, someone: RestClient, channel: Json
) -> None:
    async with watching(site, someone) as live:
        await do(someone.post, "users/logout")
        # The session is looked at every 30 seconds, and at once when the person's channels change.
        await do(add_member, server, channel, someone)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await live.until(lambda: live.shows(channel))
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_a_page_that_talks_is_closed(site: str, alice: RestClient) -> None:
    headers = {"Authorization": f"Bearer {alice.token}"}
    async with websockets.connect(live_address(site), additional_headers=headers, proxy=None) as connection:
        await connection.send("hello")
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            async for _ in connection:
                pass
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


@pytest.mark.timeout(300)
async def test_a_page_that_does_not_read_holds_up_nobody(
    site: str,
    dashboard: InstalledPlugin,
    server: MattermostServer,
    team: Json,
    alice: RestClient,
    bob: RestClient,
    someone: RestClient,
) -> None:
    """As much is sent as all buffers on the way do not hold; then the plugin leaves the page."""
    channels = [
        await do(server.create_channel, team, f"busy-{next(_numbers)}", alice, bob, someone)
        for _ in range(20)
    ]
    text = "\N{GRINNING FACE}" * 150
    address = httpx.URL(site)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await do(narrow.connect, (address.host, address.port))
        handshake = (
            f"GET {address.path}live HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {someone.token}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        await do(narrow.sendall, "\r\n".join((*handshake, "", "")).encode())
        assert (await do(narrow.recv, 12)) == b"HTTP/1.1 101"
        said = partial(dashboard.wait_for_log, "A page was left: it is too slow", timeout=240)
        left = asyncio.create_task(do(said))
        async with watching(site, alice) as live:
            rounds = 0
            while not left.done():
                rounds += 1
                message = f"{rounds} {text}"
                await asyncio.gather(*(do(bob.create_post, place["id"], message) for place in channels))
                for place in channels:
                    await live.until_told(place, "post", "bob", message)
            await left
            assert {live.counts(place)["post"] for place in channels} == {rounds}


async def test_nobody_opens_more_pages_than_there_may_be(site: str, someone: RestClient) -> None:
    async with contextlib.AsyncExitStack() as pages:
        for _ in range(20):
            await pages.enter_async_context(watching(site, someone))
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await pages.enter_async_context(watching(site, someone))
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
    async with watching(site, someone) as live:
        assert live.channels


def test_the_command_tells_the_address(site: str, alice: RestClient, channel: Json) -> None:
    assert f"]({site})" in alice.run_command(channel["id"], "/dashboard")["text"]


async def opened(page: Page) -> None:
    await page.wait_for_selector('#status[data-state="live"]', timeout=PATIENCE)


def row(channel: Json, column: int) -> str:
    return f'tr[data-channel="{channel["id"]}"] td:nth-child({column})'


async def test_the_page_shows_live_what_happens(
    site: str, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    async with browsing() as browser:
        await browser.log_in(alice)
        page = await browser.open(site)
        await opened(page)
        await page.evaluate("window.untouched = true")
        assert await page.text_content(row(channel, 3)) == "0"

        post = await do(bob.create_post, channel["id"], "<img src=x onerror=alert(1)> & more")
        await page.wait_for_selector("li[data-kind=post] >> text=<img src=x onerror=alert(1)> & more")
        await do(alice.react, post["id"], "tada")
        await page.wait_for_selector("li[data-kind=reaction] >> text=:tada:")
        await do(bob.put, f"posts/{post['id']}/patch", {"message": "something else"})
        await page.wait_for_selector("li[data-kind=edit] >> text=something else")
        assert await page.query_selector("text=onerror") is None
        await do(bob.delete, f"posts/{post['id']}")
        await page.wait_for_selector("li[data-kind=delete]")
        assert await page.query_selector("text=something else") is None

        numbers = [await page.text_content(row(channel, column)) for column in range(3, 7)]
        assert numbers == ["1", "1", "1", "1"], "posts, edits, deleted, reactions"
        link = await page.get_attribute("li[data-kind=reaction] .about a", "href")
        assert link == f"../../_redirect/pl/{post['id']}"
        await page.wait_for_load_state("networkidle")
        assert await page.eval_on_selector("li img", "image => image.naturalWidth") > 0
        assert await page.evaluate("window.untouched"), "it was not loaded anew"
        assert browser.problems == []


async def test_a_row_selects_what_is_shown_of_the_newest(
    site: str, server: MattermostServer, team: Json, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    other = server.create_channel(team, f"other-{next(_numbers)}", alice, bob)
    bob.create_post(channel["id"], "said here")
    bob.create_post(other["id"], "said there")
    async with browsing() as browser:
        await browser.log_in(alice)
        page = await browser.open(site.rstrip("/"))  # the page works without the slash, too
        await page.wait_for_selector("text=said there")
        await page.wait_for_selector("text=said here")
        await page.click(row(channel, 1))
        await page.wait_for_selector("text=said there", state="detached")
        assert await page.is_visible("text=said here")
        await page.click("text=Show all")
        await page.wait_for_selector("text=said there")
        assert browser.problems == []


async def test_the_page_comes_back_with_the_plugin_and_shows_what_was_posted(
    site: str, dashboard: InstalledPlugin, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    async with browsing() as browser:
        await browser.log_in(alice)
        page = await browser.open(site)
        await do(bob.create_post, channel["id"], "before the end")
        await page.wait_for_selector("text=before the end")
        [python] = [found for found in dashboard.processes() if Path(found.exe()).name.startswith("python")]
        python.kill()
        await page.wait_for_selector('#status[data-state="waiting"]', timeout=PATIENCE)
        assert await page.is_visible("text=before the end")
        await do(bob.create_post, channel["id"], "in between")
        await page.wait_for_selector("text=in between", timeout=2 * PATIENCE)
        await opened(page)
        assert await page.is_visible("text=before the end")


LOG_OUT = """
fetch("/api/v4/users/logout", {method: "POST", headers: {"X-Requested-With": "XMLHttpRequest"}})
"""


async def test_the_page_says_when_the_session_has_ended(
    site: str, server: MattermostServer, someone: RestClient, channel: Json
) -> None:
    async with browsing() as browser:
        await browser.log_in(someone)
        page = await browser.open(site)
        await opened(page)
        await page.evaluate(LOG_OUT)
        await do(add_member, server, channel, someone)
        await page.wait_for_selector('#status[data-state="ended"]', timeout=2 * PATIENCE)
        assert await page.is_visible("#notice")
        assert browser.problems == []
        again = await browser.open(site)
        assert await again.is_visible("text=Log in to Mattermost")
