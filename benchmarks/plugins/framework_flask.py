"""A small page by Flask, in threads."""

from flask import Flask

from mattermost_plugin import Plugin

app = Flask(__name__)


@app.get("/hello")
def hello() -> str:
    return "Hello, world!"


class WithFlask(Plugin):
    http = app


if __name__ == "__main__":
    WithFlask.run()
