"""`worker` and `relay` start before their database, and outlive it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psycopg
import pytest
from tests.cli import graphs
from tests.cli.shell import Shell
from tests.services import nats, postgres

from actbook.cli._exit_codes import ExitCode
from actbook.cli._problems import MissingError
from actbook.cli._services import may_pass
from actbook.journal import MeetingError, StoreBusyError, StoreConnectionError

AGAIN = "It is tried again for 600 seconds."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[postgres.PrivateServer]:
    with postgres.private_server() as server:
        monkeypatch.setenv("ACTBOOK_STORE", f"{server.url}?views=memory:")
        yield server


def test_a_worker_and_a_relay_wait_for_a_server_that_is_away(
    shell: Shell, server: postgres.PrivateServer
) -> None:
    server.kill()
    with (
        nats.private() as bus,
        shell.start("worker", "--patience", "600") as worker,
        shell.start("relay", "--bus", bus.url, "--patience", "600") as relay,
    ):
        for each in (worker, relay):
            each.wait_for(AGAIN)
        server.start()
        # The worker makes the store that the relay waits for.
        worker.wait_for("Running postgresql://")
        relay.wait_for("Relaying postgresql://")
        assert shell.run(graphs.adder(), "--input", "Input=8")["outputs"] == {"Output": [42]}
        for each in (relay, worker):
            each.signal(signal.SIGTERM)
            assert each.answer().code == ExitCode.OK


@pytest.mark.parametrize("verb", [("worker",), ("relay", "--bus", "nats://127.0.0.1:1")])
def test_what_waits_for_a_server_ends_when_it_is_told_to(shell: Shell, verb: tuple[str, ...]) -> None:
    away = "postgresql://nobody:canary-services@127.0.0.1:1/none"
    with shell.start(*verb, "--store", away, "--patience", "600") as waiting:
        waiting.wait_for(AGAIN)
        waiting.signal(signal.SIGTERM)
        answer = waiting.answer()
    assert (answer.code, answer.out) == (ExitCode.OK, "")
    assert "canary-services" not in answer.err


def test_patience_ends_with_the_cause(shell: Shell) -> None:
    away = "postgresql://nobody:canary-services@127.0.0.1:1/none"
    answer = shell("worker", "--store", away, "--patience", "0.3")
    assert answer.code == ExitCode.STORE
    assert answer.err.count("Check that the server runs") == 2
    assert shell("worker", "--store", away, "--until-idle").err.count("Check that the server runs") == 1
    assert shell("worker", "--patience", "-1").code == ExitCode.USAGE


def test_a_server_that_refuses_the_user_is_not_asked_again(
    shell: Shell, server: postgres.PrivateServer
) -> None:
    wrong = server.url.replace(postgres.PASSWORD, "wrong")
    answer = shell("worker", "--store", wrong, "--patience", "600")
    assert answer.code == ExitCode.STORE
    assert "password authentication failed" in answer.err
    missing = shell("worker", "--store", server.url.replace("/postgres", "/nowhere"), "--patience", "600")
    assert missing.code == ExitCode.STORE
    assert 'database "nowhere" does not exist' in missing.err
    with psycopg.connect(server.url):
        pass


def test_which_failures_may_pass() -> None:
    passing = (
        MissingError("There is no store."),
        StoreConnectionError("db", "connection refused"),
        StoreConnectionError("db", "FATAL: the database system is starting up"),
        MeetingError("db", "FATAL: sorry, too many clients already"),
    )
    assert all(map(may_pass, passing))
    lasting = (
        StoreConnectionError("db", 'FATAL: role "nobody" does not exist'),
        StoreBusyError("db", "locked"),
        ValueError("wrong"),
    )
    assert not any(map(may_pass, lasting))
