"""`stop`, `review`, `worker`, `verify`, `doctor`, `blocks`."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode


def waiting(shell: Shell) -> str:
    """An execution in REVIEW."""
    execution: str = shell.run(graphs.review(), "--input", "Amount=12")["id"]
    return execution


def outputs(shell: Shell, execution: str) -> Any:
    return shell("show", execution, "-o", "json").json["outputs"]


def test_stop_ends_what_nobody_runs(shell: Shell) -> None:
    left = shell("run", shell.graph(graphs.timer(60)), "--detach", "-o", "ids").ids[0]
    other = shell("run", shell.graph(graphs.timer(60)), "--detach", "-o", "ids").ids[0]
    answer = shell("stop", left, "--reason", "Not today", "-o", "json")
    assert answer.code == ExitCode.OK
    assert (answer.json["status"], answer.json["reason"]) == ("TERMINATED", "Not today")
    untouched = shell("show", other, "-o", "json").json
    assert (untouched["status"], untouched["node_executions"][0]["attempt"]) == ("QUEUED", 0)


def test_stop_leaves_what_is_over_as_it_is(shell: Shell) -> None:
    done = shell.run(graphs.adder(), "--input", "Input=8")
    assert shell("stop", done["id"], "-o", "json").json == done


def test_stop_takes_ids_from_stdin(shell: Shell) -> None:
    left = [shell("run", shell.graph(graphs.timer(60)), "--detach", "-o", "ids").ids[0] for _ in range(3)]
    listed = shell("ls", "--status", "QUEUED", "-o", "ids").out
    assert sorted(shell("stop", "-", "-o", "ids", stdin=listed).ids) == sorted(left)
    assert len(shell("ls", "--status", "TERMINATED", "-o", "ids").ids) == 3


def test_stop_of_another_users_execution_finds_nothing(shell: Shell) -> None:
    left = shell("run", shell.graph(graphs.timer(60)), "--detach", "--user", "ada", "-o", "ids").ids[0]
    assert shell("stop", left, "--user", "bob").code == ExitCode.NOT_FOUND
    assert shell("ls", "--status", "TERMINATED", "-o", "ids").ids == []


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (["--approve"], {"Paid": [12]}),
        (["--approve", "--data", "10"], {"Paid": [10]}),
        (["--reject", "--message", "no"], {"Refused": [12]}),
    ],
)
def test_a_decided_review_goes_on_in_the_next_worker(
    shell: Shell, decision: list[str], expected: dict[str, Any]
) -> None:
    execution = waiting(shell)
    answer = shell("review", execution, *decision)
    assert answer.code == ExitCode.OK
    assert "`actbook worker` does" in answer.err
    assert shell("worker", "--until-idle").code == ExitCode.OK
    assert outputs(shell, execution) == expected


def test_a_review_is_named_by_its_node_execution_too(shell: Shell) -> None:
    execution = waiting(shell)
    answer = shell("review", f"{execution}.2", "--approve", "-o", "json")
    assert answer.json == {"id": f"{execution}.2", "execution_id": execution, "approved": True}


def test_the_same_decision_again_is_a_no_op_and_another_one_is_refused(shell: Shell) -> None:
    execution = waiting(shell)
    decision = ["review", f"{execution}.2", "--approve", "--data", "10", "--message", "ok"]
    assert shell(*decision).code == ExitCode.OK
    assert shell("worker", "--until-idle").code == ExitCode.OK
    assert outputs(shell, execution) == {"Paid": [10]}
    assert shell(*decision).code == ExitCode.OK
    refused = shell("review", f"{execution}.2", "--reject")
    assert refused.code == ExitCode.INVALID
    assert "already decided otherwise" in refused.err
    assert shell("show", execution, "-o", "json").json["status"] == "COMPLETED"


def test_review_without_an_id_lists_what_waits(shell: Shell) -> None:
    shell.run(graphs.adder(), "--input", "Input=1")
    assert shell("review").err == "Nothing waits for a person.\n"
    first, second = (
        shell.run(graphs.review(), "--input", f"Amount={amount}", "--user", user)["id"]
        for amount, user in ((12, "ada"), (13, "bob"))
    )
    assert shell("review", "-o", "ids").ids == [f"{first}.2", f"{second}.2"]
    [listed] = shell("review", "--user", "ada", "-o", "json").json
    assert (listed["execution_id"], listed["name"], listed["data"], listed["editable"]) == (
        first,
        "Refund",
        12,
        True,
    )
    head, row = shell("review", "--limit", "1").out.splitlines()
    assert head.split() == ["id", "graph", "asked", "name", "data"]
    assert row.startswith(f"{first}.2")
    assert shell("review", "--limit", "0").code == ExitCode.USAGE
    assert shell("review", "--approve").code == ExitCode.USAGE
    shell("review", f"{first}.2", "--approve")
    shell("worker", "--until-idle")
    assert shell("review", "-o", "ids").ids == [f"{second}.2"]


def test_a_review_that_is_not_pending_is_refused(shell: Shell) -> None:
    done = shell.run(graphs.adder(), "--input", "Input=8")
    assert shell("review", done["id"], "--approve").code == ExitCode.INVALID
    assert shell("review", f"{done['id']}.9", "--approve").code == ExitCode.NOT_FOUND
    assert shell("review", f"{done['id']}.x", "--approve").code == ExitCode.NOT_FOUND


def test_an_idle_worker_leaves_what_waits_for_a_person(shell: Shell) -> None:
    execution = waiting(shell)
    left = shell("run", shell.graph(graphs.adder()), "--input", "Input=8", "--detach", "-o", "ids").ids[0]
    answer = shell("worker", "--until-idle")
    assert answer.code == ExitCode.OK
    assert "1 unfinished executions" in answer.err
    assert outputs(shell, left) == {"Output": [42]}
    assert shell("show", execution, "-o", "json").json["status"] == "REVIEW"


def test_verify_finds_a_sound_store_sound(shell: Shell) -> None:
    done = shell.run(graphs.adder(), "--input", "Input=8")
    (checked,) = shell("verify", done["id"], "-o", "json").json
    assert checked == {"id": done["id"], "ok": True, "events": 14, "faults": []}
    answer = shell("verify", "--all")
    assert answer.code == ExitCode.OK
    assert "2 of 2 streams are sound, 15 events in all." in answer.out


def damage(shell: Shell, execution: str) -> None:
    """One byte of its seventh event."""
    with closing(sqlite3.connect(shell.folder / "store.db")) as connection, connection:
        where = "WHERE stream_id=? AND version=7"
        (state,) = connection.execute(f"SELECT state FROM events {where}", (execution,)).fetchone()
        connection.execute(
            f"UPDATE events SET state=? {where}", (state[:-1] + bytes([state[-1] ^ 1]), execution)
        )


def test_verify_and_doctor_find_an_edited_event(shell: Shell) -> None:
    done = shell.run(graphs.adder(), "--input", "Input=8")
    damage(shell, done["id"])
    answer = shell("verify", "--all", "-o", "json")
    assert answer.code == ExitCode.FAULTY
    (bad,) = [each for each in answer.json if not each["ok"]]
    assert (bad["id"], bad["faults"][0]["version"], bad["faults"][0]["kind"]) == (done["id"], 7, "edited")
    assert set(bad["faults"][0]) == {"version", "position", "kind", "message"}
    assert shell("verify", "--all", "-o", "ids").ids == [done["id"]]
    assert f"✗ {done['id']}  version 7 edited" in shell("verify", done["id"]).out
    doctor = shell("doctor", "-o", "json")
    assert doctor.code == ExitCode.FAULTY
    assert [each["check"] for each in doctor.json if each["verdict"] == "fail"] == ["hash chains"]


def test_doctor_of_a_sound_store(shell: Shell) -> None:
    shell.run(graphs.adder(), "--input", "Input=8")
    before = {path.name: path.stat().st_mtime_ns for path in shell.folder.iterdir()}
    answer = shell("doctor", "--full", "-o", "json")
    assert answer.code == ExitCode.OK
    assert {path.name: path.stat().st_mtime_ns for path in shell.folder.glob("store.db")} == {
        "store.db": before["store.db"]
    }
    checks = {each["check"]: each for each in answer.json}
    assert list(checks) == [
        "Python", "SQLite", "store URL", "permissions", "disk", "owner", "store file", "integrity", "content", "hash chains",
    ]  # fmt: skip
    assert {each["verdict"] for each in answer.json} <= {"ok", "warn"}
    assert all(set(each) == {"check", "verdict", "text", "remedy"} for each in answer.json)
    assert checks["content"]["text"] == "15 events, 0 unfinished executions"
    assert checks["hash chains"]["text"] == "all 2 streams are whole"


def test_doctor_does_not_create_a_store(shell: Shell) -> None:
    answer = shell("doctor")
    assert answer.code == ExitCode.OK
    assert "does not exist yet" in answer.out
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("store", "failed"),
    [
        ("nonsense", "store URL"),
        ("sqlite:///no/folder.db", "permissions"),
        ("sqlite:///foreign.db", "store file"),
        ("sqlite:///text.db", "store file"),
    ],
)
def test_doctor_names_what_is_wrong_with_a_remedy(shell: Shell, store: str, failed: str) -> None:
    (shell.folder / "text.db").write_text("no database at all " * 100)
    with closing(sqlite3.connect(shell.folder / "foreign.db")) as connection:
        connection.execute("CREATE TABLE other(a)")
    answer = shell("doctor", "--store", store, "-o", "json")
    assert answer.code == ExitCode.FAULTY
    assert [(each["check"], bool(each["remedy"])) for each in answer.json if each["verdict"] == "fail"] == [
        (failed, True)
    ]
    assert re.search(r"fail +.*\n +→ ", shell("doctor", "--store", store).out)


def test_blocks_lists_and_shows(shell: Shell) -> None:
    rows = shell("blocks", "-o", "json").json
    assert {"id", "name", "type", "description", "static_output", "effects", "execution"} == set(rows[0])
    calculator = next(row for row in rows if row["name"] == "CalculatorBlock")
    assert shell("blocks", "ls", "calcul", "-o", "ids").ids == [calculator["id"]]
    for name in ("calculator", "CalculatorBlock", calculator["id"]):
        assert shell("blocks", "show", name, "-o", "json").json["input_schema"]["required"] == [
            "operation",
            "a",
            "b",
        ]
    assert (
        "  operation: Add | Divide | Multiply | Power | Subtract (required)"
        in shell("blocks", "show", "calculator").out
    )
    assert "CalculatorBlock" in shell("blocks").out
