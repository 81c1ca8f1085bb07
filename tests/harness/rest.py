"""One person's session with a Mattermost server over its REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Json", "RestClient", "RestError"]

Json = dict[str, Any]
"""A JSON object as the server sends it, with the server's own names."""

TIMEOUT = httpx.Timeout(60.0)


class RestError(Exception):
    """The server answered a request with an error.

    Attributes:
        status: The HTTP status.
        id: The id of the server's error, such as `api.context.404.app_error`.
        message: What a user is shown.
        detailed_error: What an administrator is shown; often empty.
    """

    def __init__(self, response: httpx.Response) -> None:
        try:
            body: Json = response.json()
        except ValueError:
            body = {"message": response.text}
        self.status = response.status_code
        self.id: str = body.get("id", "")
        self.message: str = body.get("message", "")
        self.detailed_error: str = body.get("detailed_error", "")
        request = response.request
        super().__init__(f"{request.method} {request.url.path}: {self.status} {self.id}: {self.message}")


class RestClient:
    """Talks to the server as one user.

    Args:
        url: The server's address, without a path.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.user: Json = {}
        self.password = ""
        # Addresses on this machine must not go through a proxy that the environment names.
        self._http = httpx.Client(base_url=f"{url}/api/v4/", timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session itself stays valid on the server."""
        self._http.close()

    @property
    def user_id(self) -> str:
        """The id of the user that is logged in."""
        return str(self.user["id"])

    @property
    def username(self) -> str:
        """The name of the user that is logged in."""
        return str(self.user["username"])

    @property
    def token(self) -> str:
        """The session's token."""
        return self._http.headers["Authorization"].removeprefix("Bearer ")

    def log_in(self, username: str, password: str) -> None:
        """Begin a session."""
        response = self._send("POST", "users/login", json={"login_id": username, "password": password})
        self._http.headers["Authorization"] = f"Bearer {response.headers['Token']}"
        self.user = response.json()
        self.password = password

    def get(self, path: str, **query: str | int) -> Any:
        """Return what the server has at `path`."""
        return self._send("GET", path, params=query).json()

    def post(self, path: str, json: Any = None) -> Any:
        """Send `json` to `path` and return the answer."""
        return self._send("POST", path, json=json).json()

    def put(self, path: str, json: Any = None) -> Any:
        """Replace what the server has at `path`."""
        return self._send("PUT", path, json=json).json()

    def delete(self, path: str) -> Any:
        """Remove what the server has at `path`."""
        return self._send("DELETE", path).json()

    def create_post(self, channel_id: str, message: str, **fields: Any) -> Json:
        """Post a message; `fields` are further fields of the post."""
        post: Json = self.post("posts", {"channel_id": channel_id, "message": message, **fields})
        return post

    def posts(self, channel_id: str) -> list[Json]:
        """Return the latest posts of a channel, oldest first, without the system's messages.

        The system writes those ("... joined the channel") some time after what they tell, so no test can
        count on them being there or not.
        """
        page = self.get(f"channels/{channel_id}/posts", per_page=200)
        posts = [page["posts"][post_id] for post_id in reversed(page["order"])]
        return [post for post in posts if not post["type"].startswith("system_")]

    def upload_file(self, channel_id: str, name: str, content: bytes) -> Json:
        """Upload a file for a post in `channel_id` and return its file info."""
        response = self._send(
            "POST", "files", data={"channel_id": channel_id}, files={"files": (name, content)}
        )
        info: Json = response.json()["file_infos"][0]
        return info

    def file_content(self, file_id: str) -> bytes:
        """Return the content of a file."""
        return self._send("GET", f"files/{file_id}").content

    def run_command(self, channel_id: str, command: str) -> Json:
        """Run a slash command and return its response."""
        response: Json = self.post("commands/execute", {"channel_id": channel_id, "command": command})
        return response

    def direct_channel(self, user_id: str) -> Json:
        """Return the channel of direct messages with another user or bot."""
        channel: Json = self.post("channels/direct", [self.user_id, user_id])
        return channel

    def react(self, post_id: str, emoji: str) -> Json:
        """Add a reaction to a post."""
        reaction = {"user_id": self.user_id, "post_id": post_id, "emoji_name": emoji}
        answer: Json = self.post("reactions", reaction)
        return answer

    def patch_config(self, patch: Json) -> Json:
        """Change part of the server's configuration (administrators only) and return the whole."""
        config: Json = self.put("config/patch", patch)
        return config

    def upload_plugin(self, bundle: Path) -> Json:
        """Upload a plugin bundle (administrators only), replacing an older one, and return its manifest."""
        files = {"plugin": (bundle.name, bundle.read_bytes(), "application/gzip")}
        manifest: Json = self._send("POST", "plugins", data={"force": "true"}, files=files).json()
        return manifest

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        response = self._http.request(method, path, **arguments)
        if response.is_error:
            raise RestError(response)
        return response
