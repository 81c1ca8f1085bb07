"""`python -m tests.e2e.dashboard_picture`: take the picture of the example `dashboard` for the docs."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mattermost_plugin.cli import build_bundle
from tests.e2e.browsing import browsing
from tests.harness import InstalledPlugin, TestBench

if TYPE_CHECKING:
    from tests.harness import Json, MattermostServer, RestClient

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "images" / "dashboard.png"
SIZE = {"width": 1280, "height": 720}

PEOPLE = ("aiko", "bruno", "chidi", "dana", "emil", "farah")

CHANNELS = {
    # Name and title, private or not, and how many posts of the last hour.
    "dev": ("Developers", "O", 64),
    "release": ("Release 11.4", "O", 37),
    "design": ("Design", "O", 21),
    "support": ("Support", "O", 12),
    "security": ("Security", "P", 9),
    "town-square": ("", "", 4),  # every team has these two
    "off-topic": ("", "", 7),
}

TALK = (
    "The build is green again, thanks for the quick fix.",
    "Could somebody look at the migration before noon?",
    "I can reproduce it with an empty team name.",
    "Merged. It goes out with the next release candidate.",
    "The new colours are in the mock-up, opinions welcome.",
    "Customers on the old plan see the banner twice.",
    "Let us keep the change small and do the rest next week.",
    "Who is on call this weekend?",
    "Numbers from the load test: 1.8 times as many posts as before.",
    "That explains the timeouts in the nightly run.",
)


class Scene:
    """A team at work during the last hour."""

    def __init__(self, server: MattermostServer) -> None:
        self._server = server
        self._dice = random.Random(11)
        team = server.create_team("contributors", "Contributors")
        self.people = [server.create_user(name, team=team) for name in PEOPLE]
        for person in self.people:
            # Administrators may say when a post was written.
            server.admin.put(f"users/{person.user_id}/roles", {"roles": "system_user system_admin"})
        self.channels = {name: self._channel(team, name) for name in CHANNELS}

    def _channel(self, team: Json, name: str) -> Json:
        title, kind, _ = CHANNELS[name]
        if not title:
            found: Json = self._server.admin.get(f"teams/{team['id']}/channels/name/{name}")
            return found
        fields = {"team_id": team["id"], "name": name, "display_name": title, "type": kind}
        channel: Json = self._server.admin.post("channels", fields)
        for person in self.people:
            self._server.admin.post(f"channels/{channel['id']}/members", {"user_id": person.user_id})
        return channel

    def play(self) -> None:
        """Write the posts of an hour in their order, then do what happens now."""
        now = time.time_ns() // 1_000_000
        minutes = [
            # In waves, and more lately than an hour ago.
            (58 * self._dice.choice((1, self._dice.random())) * self._dice.random() ** 1.3 + 2, name)
            for name, (_, _, count) in CHANNELS.items()
            for _ in range(count)
        ]
        posts = [
            self._say(name, self._dice.choice(TALK), create_at=now - int(ago * 60_000))
            for ago, name in sorted(minutes, reverse=True)
        ]
        for post in (post for post in posts[-18:] if post["channel_id"] == self.channels["dev"]["id"]):
            self._dice.choice(self.people).react(
                post["id"], self._dice.choice(("tada", "+1", "eyes", "heart"))
            )
        aiko, bruno = self.people[:2]
        direct = aiko.direct_channel(bruno.user_id)
        bruno.create_post(direct["id"], "Do you have a minute for the release notes?")
        wrong = self._say("support", "Please send me your password.")
        self._server.admin.delete(f"posts/{wrong['id']}")
        newcomer = self._server.create_user("grete")
        for name in ("dev", "design"):
            channel = self.channels[name]
            team_member = {"team_id": channel["team_id"], "user_id": newcomer.user_id}
            self._server.admin.post(f"teams/{channel['team_id']}/members", team_member)
            self._server.admin.post(f"channels/{channel['id']}/members", {"user_id": newcomer.user_id})
        newcomer.create_post(self.channels["dev"]["id"], "Hello everybody! Where do I find the style guide?")
        edited = self._say("release", "Release candidate 2 is out.")
        text = {"message": "Release candidate 3 is out: https://example.com/rc3"}
        self._server.admin.put(f"posts/{edited['id']}/patch", text)

    def _say(self, channel: str, message: str, **fields: int) -> Json:
        person = self._dice.choice(self.people)
        return person.create_post(self.channels[channel]["id"], message, **fields)


async def take(address: str, viewer: RestClient, scene: Scene) -> None:
    """Open the page, let things happen and take the picture."""
    async with browsing(viewport=SIZE, locale="en-GB", timezone_id="UTC", reduced_motion="reduce") as browser:
        await browser.log_in(viewer)
        page = await browser.open(address)
        await asyncio.to_thread(scene.play)
        await page.wait_for_selector("li[data-kind=edit] >> text=Release candidate 3")
        await page.wait_for_selector("tr >> text=@bruno")
        await page.wait_for_load_state("networkidle")
        PICTURE.parent.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURE)
        if browser.problems:
            raise SystemExit("\n".join(browser.problems))


def main() -> None:
    """Start a server with the plugin and take the picture."""
    with tempfile.TemporaryDirectory() as folder, TestBench() as bench:
        server = bench.start_server()
        archive = build_bundle(ROOT / "examples" / "dashboard", output=Path(folder))
        scene = Scene(server)
        with InstalledPlugin(server, archive) as plugin:
            plugin.enable()
            asyncio.run(take(f"{server.url}/plugins/{plugin.id}/", scene.people[0], scene))


if __name__ == "__main__":
    main()
