"""What a user reads of a hook that failed, and what the log has of it."""

from __future__ import annotations

import pytest

from mattermost_plugin import AppError, CommandArgs, Context, Post
from tests.unit.runtime.host import active

CODE = """
from mattermost_plugin import BASE, NotFound, UserError
class Failing(BASE):
    DEF execute_command(self, ctx, args):
        if args.command == "user": raise UserError("Please name a channel.")
        if args.command == "app": raise NotFound("No such poll")
        if args.command == "nothing": return None
        return {"the secret": 1}["another secret"]
    DEF message_will_be_posted(self, ctx, post):
        raise UserError("Not in this channel.")
if __name__ == "__main__": Failing.run()
"""


@pytest.fixture(params=[("Plugin", "def"), ("AsyncPlugin", "async def"), ("AsyncPlugin", "def")])
def host(request):
    base, define = request.param
    code = CODE.replace("BASE", base).replace("DEF", define)
    with active(code, environment={"MATTERMOST_PLUGIN_ID": "org.example.failing"}) as host:
        yield host


def run(host, command: str):
    return host.hook("execute_command", Context(), CommandArgs(command=command))


def test_an_exception_is_one_sentence_with_an_id_under_which_the_log_has_the_rest(host):
    with pytest.raises(AppError) as caught:
        run(host, "fail")
    line = host.wait_for_log("raised KeyError")
    assert "secret" not in f"{caught.value.message} {caught.value.detailed_error}"
    assert "org.example.failing" in caught.value.message
    assert line["error_id"] in caught.value.message
    assert "KeyError: 'another secret'" in line["traceback"]


def test_a_user_error_says_what_its_author_wants_said_and_is_no_error_in_the_log(host):
    with pytest.raises(AppError) as caught:
        run(host, "user")
    assert (caught.value.message, caught.value.status_code) == ("Please name a channel.", 400)
    assert caught.value.skip_translation
    assert host.log == []


def test_a_user_error_is_the_reason_of_a_rejection(host):
    assert host.hook("message_will_be_posted", Context(), Post()).reason == "Not in this channel."


def test_an_app_error_is_shown(host):
    with pytest.raises(AppError) as caught:
        run(host, "app")
    assert (caught.value.message, caught.value.status_code) == ("No such poll", 404)


def test_a_command_that_returns_nothing_has_an_empty_answer(host):
    response = run(host, "nothing")
    assert response is not None
    assert response.text == ""
