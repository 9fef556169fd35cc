"""The verbs in the order of the help, each with the place of its function and one line about it."""

from __future__ import annotations

from typing import NamedTuple

_PACKAGE = "actbook.cli._commands"


class Verb(NamedTuple):
    """`place` is imported only when the verb is used. A name of two words is a verb of the group that the first names."""

    name: str
    place: str
    summary: str


VERBS = (
    Verb("run", f"{_PACKAGE}.run:run", "Runs a graph and follows it to its end."),
    Verb("ls", f"{_PACKAGE}.ls:ls", "Lists executions, newest first."),
    Verb("show", f"{_PACKAGE}.show:show", "Shows what is recorded of an execution, node by node."),
    Verb("watch", f"{_PACKAGE}.watch:watch", "Follows an execution live until it ends."),
    Verb("stats", f"{_PACKAGE}.stats:stats", "Shows how long blocks wait and run, and what waits now."),
    Verb("stop", f"{_PACKAGE}.stop:stop", "Stops an execution and its sub-graphs' executions."),
    Verb("resume", f"{_PACKAGE}.resume:resume", "Goes on with executions that were stopped."),
    Verb(
        "retry", f"{_PACKAGE}.retry:retry", "Runs again what failed of executions, and what follows from it."
    ),
    Verb("fork", f"{_PACKAGE}.fork:fork", "Begins a new execution with the past of another one."),
    Verb("review", f"{_PACKAGE}.review:review", "Approves or rejects what waits for a person."),
    Verb("graph", f"{_PACKAGE}.graph:graph", "Draws a graph, or an execution with its states."),
    Verb("replay", f"{_PACKAGE}.replay:replay", "Shows the state of an execution at any version."),
    Verb(
        "diff", f"{_PACKAGE}.diff:diff", "Shows what differs between two points, or between two executions."
    ),
    Verb("timeline", f"{_PACKAGE}.timeline:timeline", "Shows when each node execution waited and worked."),
    Verb(
        "rerun", f"{_PACKAGE}.rerun:rerun", "Runs blocks without effects again, to compare what they yield."
    ),
    Verb("verify", f"{_PACKAGE}.verify:verify", "Checks that a recorded history is whole and legal."),
    Verb("prove keygen", f"{_PACKAGE}.prove:keygen", "Makes a key that signs checkpoints."),
    Verb("prove checkpoint", f"{_PACKAGE}.prove:checkpoint", "Signs everything that is recorded until now."),
    Verb("prove ls", f"{_PACKAGE}.prove:ls", "Lists the checkpoints in the store."),
    Verb("prove event", f"{_PACKAGE}.prove:event", "Proves to somebody else that an event was recorded."),
    Verb(
        "prove extension", f"{_PACKAGE}.prove:extension", "Proves that a checkpoint continues an older one."
    ),
    Verb("prove check", f"{_PACKAGE}.prove:check", "Checks proofs, without a store."),
    Verb("export", f"{_PACKAGE}.export:export", "Writes executions into a file that other programs read."),
    Verb("import", f"{_PACKAGE}.importing:import_file", "Brings what `export` wrote into the store."),
    Verb("report", f"{_PACKAGE}.report:report", "Writes a page about an execution, to look at in a browser."),
    Verb(
        "archive create", f"{_PACKAGE}.archive:create", "Moves executions that ended into a compressed file."
    ),
    Verb("archive ls", f"{_PACKAGE}.archive:ls", "Lists the archives of the store."),
    Verb("archive restore", f"{_PACKAGE}.archive:restore", "Brings archived executions back."),
    Verb("archive verify", f"{_PACKAGE}.archive:verify", "Checks archives, without a store."),
    Verb("forget", f"{_PACKAGE}.forget:forget", "Deletes everything of a user for good."),
    Verb("worker", f"{_PACKAGE}.worker:worker", "Runs whatever is unfinished in the store."),
    Verb("relay", f"{_PACKAGE}.relay:relay", "Publishes what is committed on a bus or a broker."),
    Verb("requeue", f"{_PACKAGE}.requeue:requeue", "Publishes again what the journal says is waiting."),
    Verb(
        "schedule add",
        f"{_PACKAGE}.schedule:add",
        "Runs a graph again and again, at the times of a cron expression.",
    ),
    Verb("schedule ls", f"{_PACKAGE}.schedule:ls", "Lists schedules, oldest first."),
    Verb(
        "schedule next",
        f"{_PACKAGE}.schedule:upcoming",
        "Tells when a schedule, or a cron expression, is due next.",
    ),
    Verb("schedule pause", f"{_PACKAGE}.schedule:pause", "Runs nothing of a schedule until it is resumed."),
    Verb("schedule resume", f"{_PACKAGE}.schedule:resume", "Lets a paused schedule run again from now on."),
    Verb("schedule rm", f"{_PACKAGE}.schedule:remove", "Removes schedules; what they began goes on."),
    Verb("balance show", f"{_PACKAGE}.balance:show", "Shows what is left of a user's credits."),
    Verb("balance top-up", f"{_PACKAGE}.balance:top_up", "Adds credits to a user's balance."),
    Verb(
        "balance history", f"{_PACKAGE}.balance:history", "Lists what changed a user's balance, oldest first."
    ),
    Verb(
        "credentials add",
        f"{_PACKAGE}.credentials:add",
        "Encrypts credentials into the file beside the store.",
    ),
    Verb(
        "credentials ls", f"{_PACKAGE}.credentials:ls", "Lists a user's credentials, without their secrets."
    ),
    Verb("credentials rm", f"{_PACKAGE}.credentials:remove", "Forgets credentials."),
    Verb(
        "credentials rotate", f"{_PACKAGE}.credentials:rotate", "Encrypts all credentials with another key."
    ),
    Verb("projection ls", f"{_PACKAGE}.projection:ls", "Lists projections, and how far behind they are."),
    Verb("projection rebuild", f"{_PACKAGE}.projection:rebuild", "Fills tables anew from all events."),
    Verb("projection rewind", f"{_PACKAGE}.projection:rewind", "Empties tables and fills them again."),
    Verb("projection pause", f"{_PACKAGE}.projection:pause", "Lets tables stand as they are."),
    Verb("projection resume", f"{_PACKAGE}.projection:resume", "Lets paused tables go on."),
    Verb("projection parked", f"{_PACKAGE}.projection:parked", "Lists events that could not be processed."),
    Verb("dead ls", f"{_PACKAGE}.dead:ls", "Lists messages that no worker could handle."),
    Verb("dead show", f"{_PACKAGE}.dead:show", "Shows such messages whole."),
    Verb("dead retry", f"{_PACKAGE}.dead:retry", "Sends such messages back to where they came from."),
    Verb("blocks", f"{_PACKAGE}.blocks:blocks", "Lists the installed blocks, or shows one."),
    Verb("doctor", f"{_PACKAGE}.doctor:doctor", "Checks this machine and the store."),
)

GROUPS = {
    "prove": "Signs the log, and proves to others what is in it.",
    "archive": "Moves what ended long ago out of the store, and back.",
    "schedule": "Runs graphs at certain times, again and again.",
    "credentials": "Keeps the secrets that blocks need, encrypted.",
    "balance": "Shows and tops up what runs are charged to.",
    "dead": "Looks after messages that no worker could handle.",
    "projection": "Looks after the tables that are made from the events.",
}
"""Groups of verbs, each with one line about it."""

ABOUT = "Runs graphs durably on one file, and replays every execution."


def overview() -> str:
    """What `actbook --help` prints."""
    shown = dict(_in_overview(verb) for verb in VERBS)
    width = max(map(len, shown))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in shown.items()]
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


def _in_overview(verb: Verb) -> tuple[str, str]:
    """A group is one line there."""
    group, _, _ = verb.name.rpartition(" ")
    return (group, GROUPS[group]) if group else (verb.name, verb.summary)
