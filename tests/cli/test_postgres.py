"""The command line on a store in PostgreSQL."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from tests.cli import graphs
from tests.cli.shell import Shell
from tests.services import postgres

from actbook.cli._exit_codes import ExitCode

SECRET = "canary-cli-secret"


def verdicts(shell: Shell) -> dict[str, str]:
    return {each["check"]: each["verdict"] for each in shell("doctor", "--full", "-o", "json").json}


@pytest.fixture
def store(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ACTBOOK_STORE", postgres_url)
    return postgres_url


def test_a_run_is_made_seen_verified_and_proved(shell: Shell, store: str) -> None:
    missing = shell("ls")
    assert missing.code == ExitCode.NOT_FOUND
    assert verdicts(shell)["store schema"] == "ok"
    done = shell.run(graphs.adder(), "--input", "Input=8")
    assert done["outputs"] == {"Output": [42]}
    assert shell("ls", "-o", "ids").ids == [done["id"]]
    assert shell("show", done["id"], "-o", "json").json["status"] == "COMPLETED"
    assert shell("verify", "--all", "-o", "json").code == ExitCode.OK
    assert set(verdicts(shell).values()) <= {"ok", "warn"}
    left = shell("run", shell.graph(graphs.timer(60)), "--detach", "-o", "ids").ids[0]
    assert shell("stop", left, "-o", "json").json["status"] == "TERMINATED"


def test_doctor_names_what_is_wrong(shell: Shell, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run(graphs.adder(), "--input", "Input=8")
    bare, _, query = store.partition("?")
    schema = query.partition("schema=")[2].partition("&")[0]
    with psycopg.connect(bare, autocommit=True) as connection:
        connection.execute(f'UPDATE "{schema}".events SET at = at + 1 WHERE position = 2'.encode())
    answer = shell("doctor", "-o", "json")
    assert answer.code == ExitCode.FAULTY
    assert [each["check"] for each in answer.json if each["verdict"] == "fail"] == ["hash chains"]
    with psycopg.connect(bare, autocommit=True) as connection:
        connection.execute(f"UPDATE \"{schema}\".meta SET value='9' WHERE key='schema_version'".encode())
    assert "newer actbook" in shell("doctor").out
    monkeypatch.setenv("ACTBOOK_STORE", f"{bare}?schema=No-Name")
    assert verdicts(shell)["store URL"] == "fail"


def test_the_password_is_never_printed(shell: Shell, store: str) -> None:
    parts = urlsplit(store)
    host = parts.netloc.rpartition("@")[2]
    wrong = urlunsplit(parts._replace(netloc=f"actbook:{SECRET}@{host}"))
    dead = f"postgresql://actbook:{SECRET}@127.0.0.1:1/postgres"
    malformed = f"postgresql://actbook:{SECRET}@h:port/postgres"
    for url in (wrong, dead, malformed):
        for verb in (("doctor",), ("ls",), ("worker", "--until-idle"), ("doctor", "-o", "json")):
            answer = shell(*verb, "--store", url)
            assert SECRET not in answer.out + answer.err
    answer = shell("worker", "--until-idle")
    assert answer.code == ExitCode.OK
    assert postgres.PASSWORD not in answer.out + answer.err
