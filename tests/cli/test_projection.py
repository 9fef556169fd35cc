"""`actbook projection`."""

from __future__ import annotations

import sqlite3

from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode
from actbook.projections import BUILT_IN

NAMES = sorted(projection.table.name for projection in BUILT_IN)


def ran(shell: Shell) -> None:
    shell.run(graphs.adder(), "--input", "Input=8")


def stored(shell: Shell, statement: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(shell.folder / "store.db")
    with connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def test_projections_are_a_table_objects_and_names(shell: Shell) -> None:
    ran(shell)
    answer = shell("projection", "ls", "-o", "json").json
    assert [each["name"] for each in answer] == NAMES
    assert {each["state"] for each in answer} == {"running"}
    assert all(set(each["lag"]) == {"events", "seconds"} for each in answer)
    assert shell("projection", "ls", "-o", "ids").ids == NAMES
    assert len(shell("projection", "ls").out.splitlines()) == 1 + len(NAMES)


def test_a_pause_lasts_until_resume_and_names_come_on_stdin(shell: Shell) -> None:
    ran(shell)
    assert shell("projection", "pause", "executions", "-o", "json").json[0]["state"] == "paused"
    states = {each["name"]: each["state"] for each in shell("projection", "ls", "-o", "json").json}
    assert states == dict.fromkeys(NAMES, "running") | {"executions": "paused"}
    resumed = shell("projection", "resume", "-", "-o", "json", stdin="executions\n").json
    assert [(each["name"], each["state"]) for each in resumed] == [("executions", "running")]


def test_a_rebuild_puts_right_what_was_changed(shell: Shell) -> None:
    ran(shell)
    right = stored(shell, "SELECT * FROM executions")
    stored(shell, "UPDATE executions SET status='FAILED'")
    answer = shell("projection", "rebuild", "executions", "-o", "json")
    assert answer.code == ExitCode.OK
    assert answer.json[0]["rebuilt"] is None
    assert stored(shell, "SELECT * FROM executions") == right


def test_a_rewind_fills_the_table_again_in_place(shell: Shell) -> None:
    ran(shell)
    right = stored(shell, "SELECT * FROM executions")
    stored(shell, "UPDATE executions SET status='FAILED'")
    answer = shell("projection", "rewind", "executions", "-o", "json")
    assert (answer.code, answer.json[0]["lag"]["events"]) == (ExitCode.OK, 0)
    assert stored(shell, "SELECT * FROM executions") == right
    assert shell("projection", "rewind", "-", "-o", "ids", stdin="executions\ngraphs\n").ids == [
        "executions",
        "graphs",
    ]
    assert shell("projection", "rewind").code == ExitCode.USAGE


def test_a_paused_table_that_is_rewound_stays_empty_until_it_goes_on(shell: Shell) -> None:
    ran(shell)
    shell("projection", "pause", "executions")
    assert shell("projection", "rewind", "executions", "-o", "json").json[0]["state"] == "paused"
    assert stored(shell, "SELECT * FROM executions") == []


def test_parked_events_are_listed_and_tried_again(shell: Shell) -> None:
    ran(shell)
    assert shell("projection", "parked").err == "Nothing is parked.\n"
    stored(
        shell,
        "INSERT INTO parked_events(name, position, stream_id, version, topic, error, attempts, parked_at)"
        " VALUES('graphs', 1, 's', 1, 't', 'ValueError: no', 3, 1)",
    )
    assert shell("projection", "parked", "-o", "json").json[0]["error"] == "ValueError: no"
    assert shell("projection", "parked", "executions", "-o", "ids").ids == []
    assert "ValueError: no" in shell("projection", "parked", "graphs").out
    assert shell("projection", "parked", "--retry", "-o", "json").json == []


def test_a_name_that_is_none_is_not_found(shell: Shell) -> None:
    ran(shell)
    for verb in ("rebuild", "rewind", "pause", "resume", "parked"):
        answer = shell("projection", verb, "nothing", "-o", "json")
        assert (answer.code, answer.error["details"]["known"]) == (ExitCode.NOT_FOUND, NAMES)
