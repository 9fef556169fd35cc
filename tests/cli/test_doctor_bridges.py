"""`doctor` with a broker and a bus: what it says of servers that are there, and of URLs that are wrong."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.cli.shell import Shell

from actbook.cli._exit_codes import ExitCode
from actbook.journal import open_store


def verdicts(shell: Shell, *arguments: str) -> dict[str, dict[str, str]]:
    answer = shell("doctor", "-o", "json", *arguments)
    return {each["check"]: each for each in answer.json}


def nowhere() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_a_broker_that_is_there(shell: Shell, amqp_url: str) -> None:
    found = verdicts(shell, "--broker", amqp_url)
    assert {found[name]["verdict"] for name in ("broker URL", "broker", "run queue")} == {"ok"}
    password = urlsplit(amqp_url).password or ""
    assert "RabbitMQ" in found["broker"]["text"]
    assert f":{password}@" not in str(found)


def test_a_bus_that_is_there(shell: Shell, nats_url: str) -> None:
    found = verdicts(shell, "--bus", nats_url)
    assert {found[name]["verdict"] for name in ("bus URL", "bus", "stream")} == {"ok"}
    assert found["bus"]["text"].startswith("NATS 2")


@pytest.mark.parametrize(
    ("option", "url", "failed"),
    [
        ("--broker", "http://host", "broker URL"),
        ("--broker", "amqp://user:canary@127.0.0.1:{port}/", "broker"),
        ("--bus", "ftp://host", "bus URL"),
        ("--bus", "nats://host:4222?colour=red", "bus URL"),
        ("--bus", "nats://user:canary@127.0.0.1:{port}", "bus"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(shell: Shell, option: str, url: str, failed: str) -> None:
    answer = shell("doctor", "-o", "json", option, url.format(port=nowhere()))
    assert answer.code == ExitCode.FAULTY
    wrong = [each for each in answer.json if each["verdict"] == "fail"]
    assert [each["check"] for each in wrong] == [failed]
    assert wrong[0]["remedy"]
    assert "canary" not in str(answer.json)


def test_a_wrong_password_is_no_missing_server(shell: Shell, amqp_url: str) -> None:
    parts = urlsplit(amqp_url)
    wrong = f"amqp://{parts.username}:canary@{parts.hostname}:{parts.port}{parts.path}"
    answer = shell("doctor", "-o", "json", "--broker", wrong)
    (failed,) = [each for each in answer.json if each["verdict"] == "fail"]
    assert "password" in failed["remedy"]
    assert "canary" not in str(answer.json)


def test_the_relay_does_not_print_the_password_of_the_store(
    shell: Shell, postgres_url: str, nats_url: str
) -> None:
    open_store(postgres_url).close()
    answer = shell(
        "relay", "--store", postgres_url, "--bus", f"{nats_url}?tenant={uuid4().hex}", "--until-idle"
    )
    assert answer.code == ExitCode.OK
    password = urlsplit(postgres_url).password
    assert password
    assert f":{password}@" not in answer.out + answer.err
    assert "***" in answer.out + answer.err
