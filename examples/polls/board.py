"""How a poll looks: a post with a button for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin import MessageAttachment, PostAction, PostActionIntegration

if TYPE_CHECKING:
    from store import State

_BAR = 20


def attachment(state: State, plugin_id: str, creator: str) -> MessageAttachment:
    """Return what a poll's post shows.

    Args:
        state: The poll.
        plugin_id: Whose address the buttons call.
        creator: The name of who asked.
    """
    most = max(count.votes for count in state.counts)
    lines = []
    for count in state.counts:
        share = count.votes / state.votes if state.votes else 0
        line = f"{count.text}: {_votes(count.votes)}"
        won = state.ended and most > 0 and count.votes == most
        lines.append(f"**{line}**" if won else line)
        lines.append(f"`{'█' * round(share * _BAR):·<{_BAR}}` {share:.0%}")
    end = ", and the poll has ended" if state.ended else ""
    return MessageAttachment(
        fallback=state.question,
        title=state.question,
        text="\n".join(lines),
        footer=f"Asked by @{creator}. {_voters(state.votes)}{end}.",
        color="#8c8c8c" if state.ended else "#1c58d9",
        actions=[] if state.ended else _buttons(state, plugin_id),
    )


def _buttons(state: State, plugin_id: str) -> list[PostAction]:
    # Posts stay when the plugin is updated: a change of these addresses would leave them with dead buttons.
    def button(action_id: str, name: str, path: str, style: str) -> PostAction:
        integration = PostActionIntegration(url=f"/plugins/{plugin_id}/polls/{state.id}/{path}")
        return PostAction(id=action_id, type="button", name=name, style=style, integration=integration)

    votes = [
        button(f"vote{count.position}", count.text, f"votes/{count.position}", "default")
        for count in state.counts
    ]
    return [*votes, button("end", "End the poll", "end", "danger")]


def _votes(number: int) -> str:
    return "1 vote" if number == 1 else f"{number} votes"


def _voters(number: int) -> str:
    if number == 0:
        return "Nobody has voted"
    return "1 person has voted" if number == 1 else f"{number} people have voted"
