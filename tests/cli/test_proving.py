"""`verify` and `prove`: what is wrong with a store, and what can be shown to others."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode


@pytest.fixture
def key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    """A public key; the commands find its secret half."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(shell.folder / "config"))
    monkeypatch.delenv("ACTBOOK_CHECKPOINT_KEY", raising=False)
    monkeypatch.delenv("ACTBOOK_CHECKPOINT_KEY_FILE", raising=False)
    made = shell("prove", "keygen", "--name", "log")
    assert made.code == ExitCode.OK
    assert "config/actbook/checkpoint.key" in made.err
    return made.out.strip()


def ran(shell: Shell) -> str:
    return str(shell.run(graphs.adder(), "--input", "Input=8")["id"])


def change(shell: Shell, sql: str, name: str = "store.db") -> None:
    with closing(sqlite3.connect(shell.folder / name)) as connection, connection:
        connection.execute(sql)


def of_store(answer: Any) -> Any:
    """What `verify --all` says of the log as a whole."""
    return next(each for each in answer.json if each["id"] == "store")


def test_a_copy_is_verified_without_the_right_to_write(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = ran(shell)
    folder = shell.folder / "copies"
    folder.mkdir()
    shutil.copy(shell.folder / "store.db", folder / "copy.db")
    (folder / "copy.db").chmod(0o400)
    folder.chmod(0o500)
    try:
        store = f"sqlite:///{folder}/copy.db"
        assert shell("verify", "--all", "--store", store).code == ExitCode.OK
        assert shell("verify", execution[:8], "--store", store, "-o", "json").json[0]["ok"]
    finally:
        folder.chmod(0o700)
    assert [path.name for path in folder.iterdir()] == ["copy.db"]


def test_verify_of_a_file_that_is_no_store(shell: Shell) -> None:
    (shell.folder / "store.db").write_text("something else, and long enough to be looked at " * 50)
    assert shell("verify", "--all").code == ExitCode.STORE


def test_what_was_removed_is_named(shell: Shell) -> None:
    ran(shell)
    change(shell, "DELETE FROM events WHERE position IN (5, 6)")
    answer = shell("verify", "--all", "-o", "json")
    assert answer.code == ExitCode.FAULTY
    assert ("removed", 5) in {(fault["kind"], fault["position"]) for fault in of_store(answer)["faults"]}
    assert "positions 5 to 6 are missing in the log: 2 events were removed" in shell("verify", "--all").out


def test_an_edited_view_is_named(shell: Shell) -> None:
    execution = ran(shell)
    change(shell, "UPDATE executions SET status='FAILED', cost=3")
    [fault] = of_store(shell("verify", "--all", "-o", "json"))["faults"]
    assert (fault["kind"], fault["stream_id"]) == ("view", execution)
    assert "status is 'FAILED', not 'COMPLETED'" in fault["message"]
    assert shell("verify", "--all", "-o", "ids").ids == ["store"]


def test_a_row_too_many_or_too_few_in_a_view_is_named(shell: Shell) -> None:
    ran(shell)
    change(shell, "DELETE FROM node_executions WHERE number=2")
    [fault] = of_store(shell("verify", "--all", "-o", "json"))["faults"]
    assert "view node_executions" in fault["message"]


def test_a_missing_inbox_is_named_for_its_execution(shell: Shell) -> None:
    waiting = shell.run(graphs.review(), "--input", "Amount=12")["id"]
    shell("review", waiting, "--approve")
    shell("worker", "--until-idle")
    assert shell("verify", waiting).code == ExitCode.OK
    change(shell, "DELETE FROM events WHERE stream_id LIKE 'inbox:%'")
    [checked] = shell("verify", waiting, "-o", "json").json
    assert ("removed", "is not in the inbox any more") in [
        (fault["kind"], fault["message"][-28:]) for fault in checked["faults"]
    ]


def test_from_the_key_to_a_checked_proof(shell: Shell, key: str) -> None:
    execution = ran(shell)
    first = shell("prove", "checkpoint", "--to", "first.txt", "-o", "json").json
    assert (first["name"], first["note"]) == ("log", (shell.folder / "first.txt").read_text())
    ran(shell)
    second = shell("prove", "checkpoint", "-o", "ids").ids
    assert [str(each["size"]) for each in shell("prove", "ls", "-o", "json").json] == [
        str(first["size"]),
        *second,
    ]
    event, since = Path("event.json"), Path("since.json")
    event.write_text(shell("prove", "event", execution[:8], "3", "--content").out)
    since.write_text(shell("prove", "extension", "first.txt").out)
    answer = shell("prove", "check", str(event), str(since), "--key", key)
    assert answer.code == ExitCode.OK
    assert f"✓ event.json  Event 3 (execution.queued) of {execution}" in answer.out
    assert shell("verify", "--all", "--key", key, "--checkpoint", "first.txt").code == ExitCode.OK
    event.write_text(event.read_text().replace('"version": 3', '"version": 4'))
    forged = shell("prove", "check", str(event), str(since), "--key", key, "-o", "json")
    assert (forged.code, [each["ok"] for each in forged.json]) == (ExitCode.FAULTY, [False, True])
    assert shell("prove", "check", str(event), "--key", key, "-o", "ids").ids == ["event.json"]


def test_a_history_that_was_replaced_is_found_by_a_checkpoint(shell: Shell, key: str) -> None:
    ran(shell)
    shell("prove", "checkpoint", "--to", "kept.txt")
    for path in shell.folder.glob("store.db*"):
        path.unlink()
    ran(shell)
    assert shell("verify", "--all", "--key", key).code == ExitCode.OK
    answer = shell("verify", "--all", "--key", key, "--checkpoint", "kept.txt", "-o", "json")
    assert answer.code == ExitCode.FAULTY
    [fault] = of_store(answer)["faults"]
    assert fault["kind"] == "checkpoint"


def test_nobody_proves_what_is_not_his(shell: Shell, key: str) -> None:
    execution = shell.run(graphs.adder(), "--input", "Input=8", "--user", "ada")["id"]
    shell("prove", "checkpoint")
    assert shell("prove", "event", execution, "1", "--user", "ada").code == ExitCode.OK
    refused = shell("prove", "event", execution, "1", "--user", "eve")
    assert (refused.code, execution in refused.out) == (ExitCode.NOT_FOUND, False)


REFUSED = [
    ("prove keygen", ExitCode.INVALID, "is there already"),
    ("prove checkpoint --key-file none.key", ExitCode.INVALID, "prove keygen"),
    ("prove event nobody 1", ExitCode.NOT_FOUND, "no execution 'nobody'"),
    ("prove extension none.txt", ExitCode.NOT_FOUND, "no file none.txt"),
    ("prove extension adder.json", ExitCode.INVALID, "no checkpoint"),
    ("prove check adder.json", ExitCode.USAGE, "--key"),
    ("prove check none.json --key none.pub", ExitCode.NOT_FOUND, "none.pub"),
    ("prove check adder.json --key a+b+c", ExitCode.INVALID, "public key"),
    ("prove ls --store memory:", ExitCode.USAGE, "in memory"),
    ("prove ls --store sqlite:///none.db", ExitCode.NOT_FOUND, "no store"),
    ("verify --key a+b+c", ExitCode.USAGE, "--all"),
    ("verify --all --user ada --checkpoint adder.json", ExitCode.USAGE, "without --user"),
    ("verify --all --checkpoint adder.json", ExitCode.INVALID, "no checkpoint"),
]


@pytest.mark.parametrize(("arguments", "code", "text"), REFUSED, ids=[each[0] for each in REFUSED])
def test_what_can_not_be_done_is_told_in_a_sentence(
    shell: Shell, key: str, arguments: str, code: ExitCode, text: str
) -> None:
    shell.run(graphs.adder(), "--input", "Input=8")
    (shell.folder / "adder.json").write_text("{}")
    answer = shell(*arguments.split(), "-o", "json")
    assert answer.code == code, answer
    assert text in answer.error["message"]


def test_a_worker_signs_when_the_environment_says_how_often(
    shell: Shell, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(shell)
    monkeypatch.setenv("ACTBOOK_CHECKPOINT_EVERY", "often")
    assert "no number of seconds" in shell("worker", "--until-idle").err
    monkeypatch.setenv("ACTBOOK_CHECKPOINT_EVERY", "3600")
    assert shell("worker", "--until-idle").code == ExitCode.OK
    assert json.loads(shell("prove", "ls", "-o", "json").out) == []
