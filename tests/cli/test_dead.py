"""`actbook dead`: what no worker could handle."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.bridge.rabbit_kit import PATIENCE, cancel, counts, echo_graph, engine_on, entry, letters, until
from tests.cli.shell import Shell

from actbook.bridge.rabbitmq import RabbitPublisher


@pytest.fixture
def broker(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """With four messages that can't be handled: three run messages and a cancel message."""
    monkeypatch.setenv("ACTBOOK_BROKER", amqp_url)
    asyncio.run(_fill(amqp_url))
    return amqp_url


async def _fill(url: str) -> None:
    async with engine_on(url) as engine, RabbitPublisher(url, timeout=PATIENCE) as publisher:
        await publisher.send("graph_execution", "graph_execution.run", b"\xff\x1b[2J{", "binary")
        await publisher.submit(entry("e1", graph_id="later"), {"x": 1}, message_id="m1")
        await publisher.submit(entry("e2", user_id="bob", graph_id="later"), message_id="m2")
        await publisher.cancel(cancel("no id"), "c1")
        await letters(url, 4)
        assert counts(engine).refused == 4


def test_they_are_listed_with_their_reasons(shell: Shell, broker: str) -> None:
    found = {each["message_id"]: each for each in shell("dead", "ls", "-o", "json").json}
    assert {name: each["reason"] for name, each in found.items()} == {
        "binary": "malformed",
        "m1": "unknown",
        "m2": "unknown",
        "c1": "malformed",
    }
    assert (found["m1"]["graph_exec_id"], found["m1"]["user_id"]) == ("e1", "ada")
    assert sorted(shell("dead", "ls", "-o", "ids").ids) == sorted(each["id"] for each in found.values())
    table = shell("dead", "ls").out
    assert "unknown" in table
    assert "e1" in table
    assert [each["message_id"] for each in shell("dead", "ls", "--user", "bob", "-o", "json").json] == ["m2"]
    assert len(shell("dead", "ls", "--limit", "1", "-o", "ids").ids) == 1
    assert shell("dead", "ls", "--limit", "0").code == 2


def test_one_is_shown_whole(shell: Shell, broker: str) -> None:
    ids = {each["message_id"]: each["id"] for each in shell("dead", "ls", "-o", "json").json}
    [whole] = shell("dead", "show", ids["m1"], "-o", "json").json
    assert whole["body"]["inputs"] == {"x": 1}
    assert whole["exchange"] == "graph_execution"
    [binary] = shell("dead", "show", "-", "-o", "json", stdin=ids["binary"]).json
    assert binary["body_base64"]
    shown = shell("dead", "show", ids["c1"], ids["binary"]).out
    assert "no id" in shown
    assert "\x1b" not in shown


def test_what_can_be_handled_now_is_sent_back(shell: Shell, broker: str) -> None:
    ids = {each["message_id"]: each["id"] for each in shell("dead", "ls", "-o", "json").json}
    assert shell("dead", "retry", "-", "-o", "ids", stdin=ids["m1"]).ids == [ids["m1"]]
    assert len(shell("dead", "ls", "-o", "ids").ids) == 3

    async def run() -> None:
        async with engine_on(broker) as engine:
            await until(lambda: counts(engine).refused == 1)
            later = echo_graph().to_dict() | {"id": "later"}
            await engine.save_graph(type(echo_graph()).from_dict(later), "ada")

    asyncio.run(run())
    [again] = [each for each in shell("dead", "ls", "-o", "json").json if each["message_id"] == "m1"]
    assert again["retries"] == 1
    assert "sent back 1" in shell("dead", "ls").out


def test_all_are_sent_back_at_once(shell: Shell, broker: str) -> None:
    async def run() -> None:
        async with engine_on(broker) as engine:
            assert (
                await asyncio.to_thread(shell, "dead", "retry", "--all", "--user", "ada", "-o", "ids")
            ).ids
            await until(lambda: counts(engine).refused == 1)

    asyncio.run(run())


def test_wrong_input_gets_one_sentence(shell: Shell, amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell("dead", "ls").code == 2
    monkeypatch.setenv("ACTBOOK_BROKER", amqp_url)
    assert shell("dead", "show", "nope").code == 7
    assert shell("dead", "show").code == 2
    assert shell("dead", "retry", "--all", "x").code == 2
    assert shell("dead", "ls", "--broker", "http://u:canary@h").code == 2
    gone = shell("dead", "ls", "--broker", "amqp://u:canary@127.0.0.1:1/", "-o", "json")
    assert gone.code == 9
    assert json.loads(gone.err)["error"]["kind"] == "store"
    assert "canary" not in gone.err
    assert shell("dead", "ls").out == ""
