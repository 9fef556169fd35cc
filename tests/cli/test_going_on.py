"""`resume`, `retry` and `fork`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode


def left(shell: Shell, seconds: float = 0) -> str:
    """An execution that was stopped before anybody ran it."""
    execution = shell("run", shell.graph(graphs.timer(seconds)), "--detach", "-o", "ids").ids[0]
    assert shell("stop", execution).code == ExitCode.OK
    return execution


def failing(shell: Shell, index: int = 5) -> Any:
    return shell.run(graphs.failing(), "--input", f"Index={index}")


def test_resume_goes_on_to_the_end(shell: Shell) -> None:
    execution = left(shell)
    answer = shell("resume", execution, "--reason", "Now", "-o", "json")
    assert answer.code == ExitCode.OK
    assert (answer.json["id"], answer.json["status"], answer.json["reason"]) == (execution, "COMPLETED", None)
    assert answer.json["outputs"] == {"Output": ["begun"]}
    events = shell("verify", execution, "-o", "json").json
    assert events[0]["ok"]


def test_resume_shows_its_progress_and_result_to_people(shell: Shell) -> None:
    execution = left(shell)
    answer = shell("resume", execution)
    assert answer.code == ExitCode.OK
    assert "COMPLETED" in answer.out
    assert "Output: begun" in answer.out


def test_ids_come_from_stdin_and_are_answered_in_order(shell: Shell) -> None:
    executions = [left(shell) for _ in range(3)]
    answer = shell("resume", "-", "-o", "ids", stdin="\n".join(executions))
    assert (answer.code, answer.ids) == (ExitCode.OK, executions)


def test_a_detached_resume_waits_for_a_worker(shell: Shell) -> None:
    execution = left(shell)
    answer = shell("resume", execution, "--detach", "-o", "json")
    assert (answer.code, answer.json["status"]) == (ExitCode.OK, "QUEUED")
    assert shell("show", execution, "-o", "json").json["status"] == "TERMINATED"
    assert shell("worker", "--until-idle").code == ExitCode.OK
    assert shell("show", execution, "-o", "json").json["status"] == "COMPLETED"


def test_the_end_of_an_execution_in_review_is_its_exit_code(shell: Shell) -> None:
    execution = shell.run(graphs.review(), "--input", "Amount=12")["id"]
    assert shell("resume", execution).code == ExitCode.REVIEW


def test_retry_runs_what_failed_again(shell: Shell) -> None:
    run = failing(shell)
    answer = shell("retry", run["id"], "-o", "json")
    assert answer.code == ExitCode.OK
    assert (answer.json["attempt"], answer.json["stats"]["node_error_count"]) == (2, 2)
    nodes = shell("show", run["id"], "-o", "json").json["node_executions"]
    assert [node["retry_of"] for node in nodes if node["status"] == "FAILED"] == [None, 2]
    (row,) = shell("ls", "-o", "json").json
    assert (row["id"], row["attempt"]) == (run["id"], 2)


def test_fork_with_another_input(shell: Shell) -> None:
    run = failing(shell)
    answer = shell("fork", run["id"], "--input", "Index=0", "-o", "json")
    assert answer.code == ExitCode.OK
    fork = answer.json
    assert (fork["status"], fork["inputs"], fork["origin_id"]) == ("COMPLETED", {"Index": 0}, run["id"])
    assert fork["id"] != run["id"]
    assert fork["stats"]["node_error_count"] == 0
    assert shell("show", run["id"], "-o", "json").json["inputs"] == {"Index": 5}


def test_fork_at_a_version_and_at_a_moment(shell: Shell) -> None:
    run = shell.run(graphs.adder(), "--input", "Input=8")
    at_version = shell("fork", run["id"], "--at", "5", "-o", "json").json
    at_moment = shell("fork", run["id"], "--at", "2999-01-01", "-o", "json").json
    assert at_version["outputs"] == at_moment["outputs"] == {"Output": [42]}
    assert at_version["origin_version"] < at_moment["origin_version"]


def test_another_users_execution_is_not_found(shell: Shell) -> None:
    execution = left(shell)
    for verb in ("resume", "retry", "fork"):
        assert shell(verb, execution, "--user", "bob").code == ExitCode.NOT_FOUND
    assert len(shell("ls", "-o", "ids").ids) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("resume", ExitCode.USAGE, ("No id was given",)),
        ("resume nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'", "actbook ls")),
        ("retry nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
        ("fork nobody", ExitCode.NOT_FOUND, ("no execution 'nobody'",)),
        ("resume DONE", ExitCode.INVALID, ("is COMPLETED and can't be resumed", "fork it")),
        ("retry DONE", ExitCode.INVALID, ("is COMPLETED and can't be retried", "nothing of it failed")),
        ("retry DONE --timeout soon", ExitCode.USAGE, ("--timeout", "soon")),
        ("retry --bogus", ExitCode.USAGE, ("Unknown option: --bogus",)),
        ("fork DONE --at 0", ExitCode.NOT_FOUND, ("no version 0",)),
        ("fork DONE --at 99", ExitCode.NOT_FOUND, ("no version 99", "goes from 1 to")),
        ("fork DONE --at soon", ExitCode.USAGE, ("--at 'soon'", "ISO 8601")),
        ("fork DONE --input Inptu=1", ExitCode.INVALID, ("no input Inptu", "Did you mean Input?")),
        ("fork DONE --input Input", ExitCode.USAGE, ("NAME=VALUE",)),
        (
            "fork DONE --at 12 --input Input=1",
            ExitCode.INVALID,
            ("can't be forked at version 12", "used before", "highest version"),
        ),
        ("fork DONE --inputs-file nowhere.json", ExitCode.NOT_FOUND, ("no file nowhere.json",)),
        ("fork DONE --store sqlite:///elsewhere.db", ExitCode.NOT_FOUND, ("no store at elsewhere.db",)),
    ],
)
def test_what_is_wrong_is_one_sentence(
    shell: Shell, arguments: str, code: ExitCode, words: tuple[str, ...]
) -> None:
    done = shell.run(graphs.adder(), "--input", "Input=8")["id"]
    before = shell("verify", "--all", "-o", "json").json
    answer = shell(*arguments.replace("DONE", done).split())
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("actbook: ")
    assert answer.err.count("\n") == 1
    places = [answer.err.find(word) for word in words]
    assert -1 not in places, answer.err
    assert places == sorted(places)
    assert shell("verify", "--all", "-o", "json").json == before


def test_one_refusal_of_several_does_not_keep_the_others_back(shell: Shell) -> None:
    done = shell.run(graphs.adder(), "--input", "Input=8")["id"]
    execution = left(shell)
    answer = shell("resume", done, execution, "-o", "ids")
    assert (answer.code, answer.ids) == (ExitCode.INVALID, [execution])
    assert shell("show", execution, "-o", "json").json["status"] == "COMPLETED"
