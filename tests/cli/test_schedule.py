"""`actbook schedule …` and `run --at`."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Answer, Shell

LEAP = "0 0 29 2 *"


def add(shell: Shell, *arguments: str, cron: str = LEAP) -> Any:
    """A schedule of the adder, as `add -o json` prints it."""
    path = shell.graph(graphs.adder())
    return shell("schedule", "add", path, "--cron", cron, "--input", "Input=8", *arguments, "-o", "json").json


def listed(shell: Shell, *arguments: str) -> Any:
    return shell("schedule", "ls", "-o", "json", *arguments).json


def test_a_schedule_is_added_and_listed(shell: Shell) -> None:
    made = add(shell, "--name", "leap", "--timezone", "Asia/Kolkata", "--missed", "all", "--overlap", "skip")
    assert made["next"].endswith("-28T18:30:00Z")
    assert (made["name"], made["status"], made["inputs"]) == ("leap", "active", {"Input": 8})
    assert (made["missed"], made["overlap"], made["catch_up"]) == ("all", "skip", 100)
    assert made["stats"] == {"fired": 0, "missed": 0, "skipped": 0, "refused": 0}
    assert listed(shell) == [made]
    table = shell("schedule", "ls")
    assert made["id"] in table.out
    assert "00:00 IST" in table.out
    assert shell("schedule", "ls", "-o", "ids").ids == [made["id"]]


def test_a_saved_graph_is_named_by_its_id(shell: Shell) -> None:
    shell.run(graphs.adder(), "--input", "Input=8")
    made = shell(
        "schedule", "add", "adder", "--cron", "@daily", "--input", "Input=1", "--version", "1", "-o", "json"
    )
    assert (made.json["graph_id"], made.json["graph_version"]) == ("adder", 1)


def test_it_says_who_will_run_it(shell: Shell) -> None:
    answer = shell("schedule", "add", shell.graph(graphs.adder()), "--cron", LEAP, "--input", "Input=8")
    assert "`actbook worker` does" in answer.err


def test_pause_resume_and_remove(shell: Shell) -> None:
    first, second = add(shell)["id"], add(shell)["id"]
    both = f"{first}\n{second}\n"
    assert [each["status"] for each in shell("schedule", "pause", "-", "-o", "json", stdin=both).json] == [
        "paused"
    ] * 2
    assert listed(shell)[0]["next"] is None
    assert "It is paused" in shell("schedule", "next", first).err
    assert shell("schedule", "resume", first, "-o", "ids").ids == [first]
    assert [each["status"] for each in listed(shell)] == ["active", "paused"]
    assert shell("schedule", "rm", second[:30]).code == 0
    assert [each["id"] for each in listed(shell)] == [first]
    assert shell("schedule", "rm", first).code == 0
    assert shell("schedule", "ls").err == "No schedules.\n"


def test_next_tells_the_moments_of_a_schedule_and_of_an_expression(shell: Shell) -> None:
    made = add(shell)
    answer = shell("schedule", "next", made["id"][:8], "--count", "2", "-o", "json")
    assert answer.json[0] == made["next"]
    assert len(answer.json) == 2
    tried = shell("schedule", "next", "--cron", "0 12 1 1 *", "--timezone", "Asia/Kolkata", "--count", "1")
    assert tried.out.endswith("-01-01 12:00 IST\n")
    assert len(shell("schedule", "next", "--cron", "@hourly", "-o", "ids").ids) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["add", "GRAPH", "--cron", "x", "--input", "Input=1"], 8, "it has 1 fields"),
        (["add", "GRAPH", "--cron", "@daily", "--timezone", "Mars", "--input", "Input=1"], 8, "no time zone"),
        (["add", "GRAPH", "--cron", "@daily"], 8, "needs the input Input"),
        (["add", "GRAPH", "--cron", "@daily", "--input", "Imput=1"], 8, "Did you mean Input?"),
        (["add", "GRAPH", "--cron", "@daily", "--input", "Input=1", "--catch-up", "0"], 8, "catch_up"),
        (["add", "GRAPH", "--cron", "@daily", "--input", "Input=1", "--missed", "maybe"], 2, "missed"),
        (
            ["add", "GRAPH", "--cron", "@daily", "--input", "Input=1", "--version", "7"],
            7,
            "version 7 not found",
        ),
        (["add", "nothing.json", "--cron", "@daily"], 7, "no file nothing.json"),
        (["add", "nothing", "--cron", "@daily"], 7, "Graph #nothing not found"),
        (["add", "GRAPH"], 2, "missing"),
        (["next"], 2, "one of them"),
        (["next", "a", "--cron", "@daily"], 2, "one of them"),
        (["next", "--cron", "@daily", "--count", "0"], 2, "from 1 on"),
        (["next", "--cron", "nonsense"], 8, "it has 1 fields"),
        (["rm", "nobody"], 7, "no schedule 'nobody'"),
        (["pause"], 2, "No id was given"),
    ],
)
def test_what_can_not_be_done_is_said(shell: Shell, arguments: list[str], code: int, text: str) -> None:
    add(shell)
    path = shell.graph(graphs.adder())
    answer = shell("schedule", *(path if each == "GRAPH" else each for each in arguments))
    assert answer.code == code
    assert text in answer.err
    assert answer.err.count("\n") == 1
    assert len(listed(shell)) == 1


def test_the_beginning_of_several_ids_is_not_enough(shell: Shell) -> None:
    made = [add(shell)["id"] for _ in range(17)]
    first = next(each for each in (item[0] for item in made) if sum(i.startswith(each) for i in made) > 1)
    answer = shell("schedule", "rm", first)
    assert (answer.code, "Give more of it" in answer.err) == (2, True)


def test_looking_makes_no_store(shell: Shell) -> None:
    assert shell("schedule", "ls").code == 7
    assert list(shell.folder.glob("*.db")) == []


def test_one_user_does_not_see_or_change_anothers(shell: Shell) -> None:
    mine = add(shell, "--user", "ada")["id"]
    assert listed(shell, "--user", "eve") == []
    for verb in ("pause", "resume", "rm", "next"):
        assert shell("schedule", verb, mine, "--user", "eve").code == 7
    assert [each["id"] for each in listed(shell, "--user", "ada")] == [mine]
    assert [each["status"] for each in listed(shell)] == ["active"]


def test_a_worker_runs_what_is_due(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _added_an_hour_ago(shell, monkeypatch)
    with shell.start("worker") as worker:
        worker.wait_for("Running")
        ended = _until_fired(shell)
        worker.signal(signal.SIGTERM)
        assert worker.answer().code == 0
    assert ended["id"] == made["id"]
    execution = shell("show", ended["last_execution"], "-o", "json").json
    assert (execution["status"], execution["outputs"]) == ("COMPLETED", {"Output": [42.0]})


def _added_an_hour_ago(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Any:
    import time

    now = time.time_ns
    with monkeypatch.context() as earlier:
        earlier.setattr("time.time_ns", lambda: now() - 3600 * 10**9)
        return add(shell, cron="* * * * *")


def _until_fired(shell: Shell) -> Any:
    """Follows the store until the schedule began an execution and that ended."""
    import asyncio

    from actbook.engine import Engine
    from actbook.events import ExecutionCompleted, ScheduleFired

    async def fired() -> None:
        async with (
            Engine.open(f"sqlite:///{shell.folder}/store.db", candidate=False) as engine,
            asyncio.timeout(20),
        ):
            seen: set[str] = set()
            async for event in engine.journal.subscribe(0, [ScheduleFired.TOPIC, ExecutionCompleted.TOPIC]):
                seen.add(event.topic)
                if len(seen) == 2:
                    return

    asyncio.run(fired())
    return listed(shell)[0]


def test_a_run_may_begin_later(shell: Shell) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    path = shell.graph(graphs.adder())
    answer = shell("run", path, "--input", "Input=8", "--at", later, "--detach", "-o", "json")
    assert answer.json["status"] == "QUEUED"
    assert shell("stop", answer.json["id"], "-o", "json").json["status"] == "TERMINATED"


def test_a_moment_that_is_none_is_refused(shell: Shell) -> None:
    answer: Answer = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "--at", "tomorrow")
    assert (answer.code, "is no moment" in answer.err) == (2, True)
