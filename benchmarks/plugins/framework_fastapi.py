"""A small page by FastAPI."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from mattermost_plugin import AsyncPlugin

app = FastAPI()


@app.get("/hello")
async def hello() -> PlainTextResponse:
    return PlainTextResponse("Hello, world!")


class WithFastAPI(AsyncPlugin):
    http = app


if __name__ == "__main__":
    WithFastAPI.run()
