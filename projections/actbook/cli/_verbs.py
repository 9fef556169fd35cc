"""The verbs in the order of the help, each with the place of its function and one line about it."""

from __future__ import annotations

from typing import NamedTuple

_PACKAGE = "actbook.cli._commands"


class Verb(NamedTuple):
    """`place` is imported only when the verb is used."""

    name: str
    place: str
    summary: str


VERBS = (
    Verb("run", f"{_PACKAGE}.run:run", "Runs a graph and follows it to its end."),
    Verb("ls", f"{_PACKAGE}.ls:ls", "Lists executions, newest first."),
    Verb("show", f"{_PACKAGE}.show:show", "Shows what is recorded of an execution, node by node."),
    Verb("watch", f"{_PACKAGE}.watch:watch", "Follows an execution live until it ends."),
    Verb("stop", f"{_PACKAGE}.stop:stop", "Stops an execution and its sub-graphs' executions."),
    Verb("review", f"{_PACKAGE}.review:review", "Approves or rejects what waits for a person."),
    Verb("graph", f"{_PACKAGE}.graph:graph", "Draws a graph, or an execution with its states."),
    Verb("replay", f"{_PACKAGE}.replay:replay", "Shows the state of an execution at any version."),
    Verb("diff", f"{_PACKAGE}.diff:diff", "Shows what changed in an execution from one point to another."),
    Verb("verify", f"{_PACKAGE}.verify:verify", "Checks that a recorded history is whole and legal."),
    Verb("worker", f"{_PACKAGE}.worker:worker", "Runs whatever is unfinished in the store."),
    Verb("blocks", f"{_PACKAGE}.blocks:blocks", "Lists the installed blocks, or shows one."),
    Verb("doctor", f"{_PACKAGE}.doctor:doctor", "Checks this machine and the store."),
)

ABOUT = "Runs graphs durably on one file, and replays every execution."


def overview() -> str:
    """What `actbook --help` prints."""
    width = max(len(verb.name) for verb in VERBS)
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in VERBS]
    return "\n".join(
        [
            "Usage: actbook VERB [arguments] [options]",
            "",
            ABOUT,
            "",
            "Verbs:",
            *lines,
            "",
            "Every verb takes --store URL (or ACTBOOK_STORE; sqlite:///actbook.db by default), --user NAME,",
            "-o table|json|ids. `actbook VERB --help` tells the rest, `actbook --version` the version.",
            "",
        ]
    )
