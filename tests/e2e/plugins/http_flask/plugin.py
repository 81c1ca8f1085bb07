"""A plugin on threads that serves a WSGI application, and asks another plugin."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING

import httpx
from flask import Flask, Response, jsonify, request

from asking import SCENARIOS
from mattermost_plugin import Plugin
from mattermost_plugin.http import ClientDisconnected, PluginTransport, request_context, request_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("http-flask")
app = Flask(__name__)

# What clients that left were doing.
left: list[str] = []

OTHER = "http://org.example.http-asgi"


@app.get("/about")
def about() -> Response:
    """Say what the application knows about the request."""
    plugin = request_plugin(request)
    context = request_context(request)
    user_id = request.environ["mattermost"].user_id
    return jsonify(
        user_id=user_id,
        username=plugin.api.get_user(user_id).username if user_id else "",
        request_id=context.request_id,
        script_root=request.script_root,
        path=request.path,
        environ={key: value for key, value in request.environ.items() if key.startswith("HTTP_")},
    )


@app.post("/upload")
def upload() -> Response:
    """Read the body in pieces and say what it was."""
    digest, size = hashlib.blake2b(), 0
    try:
        while piece := request.stream.read(1 << 16):
            digest.update(piece)
            size += len(piece)
    except ClientDisconnected:
        left.append(f"upload {size}")
        raise
    return jsonify(size=size, digest=digest.hexdigest())


@app.get("/download")
def download() -> Response:
    """Send as many bytes as are asked for."""
    size = int(request.args["size"])

    def pieces() -> Iterator[bytes]:
        rest = size
        while rest:
            piece = bytes(min(rest, 1 << 16))
            rest -= len(piece)
            yield piece

    return Response(pieces(), mimetype="application/octet-stream")


@app.get("/events")
def events() -> Response:
    """Send an event every 50 ms until the client leaves."""

    def stream() -> Iterator[bytes]:
        try:
            while True:
                yield b"data: tick\n\n"
                time.sleep(0.05)
        finally:
            left.append("events")

    return Response(stream(), mimetype="text/event-stream")


@app.get("/boom")
def boom() -> Response:
    """Raise."""
    raise RuntimeError("the secret of flask")


@app.get("/left")
def who_left() -> Response:
    """Say which clients left early."""
    return jsonify(left)


@app.route("/ask", methods=["GET", "POST"])
def ask() -> Response:
    """Ask the other plugin with httpx and say what came of it."""
    api = request_plugin(request).api
    with httpx.Client(transport=PluginTransport(api), base_url=OTHER, timeout=10.0) as client:
        return jsonify(SCENARIOS[request.args["scenario"]](client))


class FlaskWitness(Plugin):
    """Serves a Flask application."""

    http = app

    def on_activate(self) -> None:
        log.info("Activated")


if __name__ == "__main__":
    FlaskWitness.run()
