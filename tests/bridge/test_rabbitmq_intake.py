"""What comes in through a broker: recorded once, refused with a reason, or kept until it can be recorded."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import aiormq
import pamqp.commands
import pamqp.encode
import pytest
from tests.bridge.rabbit_kit import (
    GRAPH,
    PATIENCE,
    USER,
    cancel,
    counts,
    echo_graph,
    engine_on,
    entry,
    intake,
    letters,
    submit,
    until,
)
from tests.engine.kit import Gate, effect

from actbook.blocks import default_registry
from actbook.bridge import BusUrlError
from actbook.bridge.rabbitmq import (
    DEAD_LETTER_REASON,
    DeadLetters,
    RabbitPublisher,
    create_execution_queue_config,
)
from actbook.engine import Engine
from actbook.events import CancelRequested, ExecutionContext, ExecutionCreated, ExecutionStatus, inbox_of
from actbook.graphs import Graph, Node
from actbook.journal import StoreIOError

RUNS, RUN_KEY = "graph_execution", "graph_execution.run"


def held_graph(gate: Gate) -> tuple[Graph, Any]:
    """A graph whose only node waits at the gate, and a registry that has its block."""
    block = effect(gate.hold)
    registry = default_registry()
    registry.register(block)
    return Graph(
        id="held", version=1, nodes=[Node(id="n", block_id=block.id, input_default={"value": 1})]
    ), registry


def held(name: str) -> Any:
    return entry(name, graph_id="held")


def test_a_submitted_run_is_recorded_under_its_id_and_key(amqp_url: str) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine, RabbitPublisher(amqp_url) as publisher:
            context = ExecutionContext(user_timezone="Europe/Rome", human_in_the_loop_safe_mode=False)
            await publisher.submit(entry("e1", execution_context=context), {"x": 7}, message_id="m1")
            await publisher.submit(entry(), {"x": 8}, message_id="m2")
            await until(lambda: counts(engine).accepted == 2)
            done = await engine.wait("e1", PATIENCE)
            assert (done.status, done.outputs) == (ExecutionStatus.COMPLETED, {"y": [7]})
            [created] = await engine.journal.read_stream("e1", 0, 1)
            assert isinstance(created.payload, ExecutionCreated)
            assert (created.user_id, created.payload.idempotency_key) == (USER, "m1")
            assert done.settings.user_timezone == "Europe/Rome"
            assert not done.settings.human_in_the_loop_safe_mode
            same = await engine.add_graph_execution(GRAPH, USER, {"x": 8}, idempotency_key="m2")
            assert (await engine.wait(same.id, PATIENCE)).outputs == {"y": [8]}

    asyncio.run(run())


def test_a_message_that_comes_again_is_the_same_execution(amqp_url: str) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine, RabbitPublisher(amqp_url) as publisher:
            again = [publisher.submit(entry("e1"), {"x": 7}, message_id="m1") for _ in range(20)]
            keyed = [publisher.submit(entry(), {"x": 9}, message_id="m2") for _ in range(20)]
            await asyncio.gather(*again, *keyed)
            await until(lambda: counts(engine).accepted + counts(engine).known == 40)
            assert (counts(engine).accepted, counts(engine).refused) == (2, 0)
            assert len(await engine.journal.read_log(0, 100, ["execution.created"])) == 2

    asyncio.run(run())


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_cloudevents(amqp_url: str, mode: str) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine, RabbitPublisher(amqp_url) as publisher:
            data = json.loads(entry("e1").to_json()) | {"inputs": {"x": 1}}
            attributes = {"specversion": "1.0", "id": "ce1", "source": "/shop", "type": "shop.run"}
            if mode == "structured":
                body, headers = json.dumps(attributes | {"data": data}), {}
                content_type = "application/cloudevents+json"
            else:
                body, headers = json.dumps(data), {f"cloudEvents_{k}": v for k, v in attributes.items()}
                content_type = "application/json"
            await publisher.send(
                RUNS, RUN_KEY, body.encode(), "m9", headers=headers, content_type=content_type
            )
            await until(lambda: counts(engine).accepted == 1)
            assert (await engine.wait("e1", PATIENCE)).outputs == {"y": [1]}

    asyncio.run(run())


def test_what_can_not_be_handled_goes_to_the_dead_letter_queue_and_stops_nothing(amqp_url: str) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine, RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher:
            await submit(amqp_url, entry("e1"))
            await until(lambda: counts(engine).accepted == 1)
            bad: list[tuple[str, bytes, str]] = [
                ("malformed", b"{nope", "application/json"),
                ("oversized", b"x" * (2 << 20), "application/json"),
                ("foreign", entry("f").to_json(), "application/x-protobuf"),
                ("malformed", entry("not an id").to_json(), ""),
                ("malformed", entry("inbox:e1").to_json(), ""),
                ("wrong-user", entry("e1", user_id="eve").to_json(), ""),
                ("wrong-user", entry("e7", execution_context=ExecutionContext(user_id="eve")).to_json(), ""),
                ("unknown", entry("e8", graph_id="nope").to_json(), ""),
                ("unknown", entry("e9", graph_id="").to_json(), ""),
                ("unknown", entry("e10", user_id="eve").to_json(), ""),
                ("conflicting", entry("e1", graph_id="other").to_json(), ""),
                (
                    "conflicting",
                    json.dumps(json.loads(entry("e1").to_json()) | {"inputs": {"x": 5}}).encode(),
                    "",
                ),
                (
                    "invalid",
                    json.dumps(json.loads(entry("e11").to_json()) | {"inputs": {"x": 2**80}}).encode(),
                    "",
                ),
            ]
            for number, (_, body, content_type) in enumerate(bad):
                await publisher.send(
                    RUNS, RUN_KEY, body, f"bad{number}", content_type=content_type, limit=16 << 20
                )
            await submit(amqp_url, entry("e2"))
            await until(lambda: counts(engine).accepted == 2)
            found = {letter.message_id: letter for letter in await letters(amqp_url, len(bad))}
            assert {name: found[name].reason for name in found} == {
                f"bad{number}": reason for number, (reason, _, _) in enumerate(bad)
            }
            assert all(letter.headers[DEAD_LETTER_REASON] and letter.detail for letter in found.values())
            assert found["bad1"].body == bad[1][1]
            assert (found["bad0"].exchange, found["bad0"].routing_key) == (RUNS, RUN_KEY)
            assert len(await engine.journal.read_log(0, 100, ["execution.created"])) == 2

    asyncio.run(run())


def test_a_cancel_message_stops_a_run_and_is_recorded_once_whoever_hears_it(
    amqp_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        gate = Gate()
        graph, registry = held_graph(gate)
        store = f"sqlite:///{tmp_path}/store.db"
        async with (
            engine_on(amqp_url, store, registry=registry) as owner,
            engine_on(amqp_url, store, registry=registry) as other,
            RabbitPublisher(amqp_url) as publisher,
        ):
            await owner.save_graph(graph, USER)
            await publisher.submit(held("e1"), message_id="m1")
            await until(lambda: gate.entered == 1)
            assert (counts(owner).accepted, counts(other).accepted) == (1, 0)
            await publisher.cancel(cancel("e1", actor=USER, reason="enough"), "c1")
            done = await owner.wait("e1", PATIENCE)
            assert done.status is ExecutionStatus.TERMINATED
            await until(lambda: sum(_heard(each) for each in (owner, other)) == 2)
            asked = [each.payload for each in await owner.journal.read_stream(inbox_of("e1"))]
            cancels = [each for each in asked if isinstance(each, CancelRequested)]
            assert [(each.actor, each.reason) for each in cancels] == [(USER, "enough")]

    asyncio.run(run())


def _heard(engine: Engine) -> int:
    return counts(engine).cancelled + counts(engine).moot


def test_a_cancel_message_that_overtakes_its_run_message_waits_for_it(amqp_url: str) -> None:
    async def run() -> None:
        gate = Gate()
        graph, registry = held_graph(gate)
        async with engine_on(amqp_url, registry=registry) as engine, RabbitPublisher(amqp_url) as publisher:
            await engine.save_graph(graph, USER)
            await publisher.cancel(cancel("e1"), "c1")
            await publisher.submit(held("e1"), message_id="m1")
            assert (
                (await engine.wait("e1", PATIENCE)).status is ExecutionStatus.TERMINATED
                if (await _accepted(engine))
                else False
            )

    asyncio.run(run())


async def _accepted(engine: Engine) -> bool:
    await until(lambda: counts(engine).accepted == 1)
    return True


def test_who_may_not_cancel(amqp_url: str) -> None:
    async def run() -> None:
        gate = Gate()
        graph, registry = held_graph(gate)
        async with engine_on(amqp_url, registry=registry) as engine, RabbitPublisher(amqp_url) as publisher:
            await engine.save_graph(graph, USER)
            await publisher.submit(held("e1"), message_id="m1")
            await until(lambda: gate.entered == 1)
            await publisher.cancel(cancel("e1", actor="eve"), "c1")
            await publisher.cancel(cancel("nobody"), "c2")
            await publisher.cancel(cancel("no id"), "c3")
            await publisher.send("graph_execution_cancel", "", b"{}", "c4")
            found = {letter.message_id: letter.reason for letter in await letters(amqp_url, 4)}
            assert found == {"c1": "wrong-user", "c2": "unknown", "c3": "malformed", "c4": "malformed"}
            assert (await engine.get_graph_execution("e1")).status is ExecutionStatus.RUNNING

    asyncio.run(run())


def test_while_the_store_fails_messages_are_kept(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine:
            works = engine._accept
            failing = True

            async def accept(*arguments: Any) -> Any:
                if failing:
                    raise StoreIOError("store.db", "disk on fire")
                return await works(*arguments)

            monkeypatch.setattr(engine, "_accept", accept)
            await submit(amqp_url, *(entry(f"e{number}") for number in range(10)))
            await until(lambda: counts(engine).held >= 30)
            assert (counts(engine).accepted, counts(engine).refused) == (0, 0)
            failing = False
            await until(lambda: counts(engine).accepted == 10)
            assert await DeadLetters(amqp_url).first() == []

    asyncio.run(run())


def test_what_was_not_recorded_is_there_for_the_next_worker(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine:

            async def accept(*_: Any) -> Any:
                raise StoreIOError("store.db", "disk on fire")

            monkeypatch.setattr(engine, "_accept", accept)
            await submit(amqp_url, *(entry(f"e{number}") for number in range(10)))
            await until(lambda: counts(engine).held >= 10)
        async with engine_on(amqp_url) as engine:
            await until(lambda: counts(engine).accepted == 10)

    asyncio.run(run())


def test_a_message_that_nobody_foresaw_is_given_up(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with engine_on(amqp_url) as engine:
            works = engine._request

            async def request(graph_id: str, *arguments: Any, **named: Any) -> Any:
                if graph_id == "odd":
                    raise TypeError("nobody foresaw this")
                return await works(graph_id, *arguments, **named)

            monkeypatch.setattr(engine, "_request", request)
            await submit(amqp_url, entry("e1", graph_id="odd"), entry("e2"))
            await until(lambda: counts(engine).accepted == 1)
            [letter] = await letters(amqp_url, 1)
            assert (letter.reason, letter.message_id) == ("crashing", "e1")

    asyncio.run(run())


def test_a_worker_takes_no_more_than_it_has_room_for(amqp_url: str) -> None:
    async def run() -> None:
        gate = Gate()
        graph, registry = held_graph(gate)
        async with engine_on(amqp_url, registry=registry, max_active=4) as engine:
            await engine.save_graph(graph, USER)
            await submit(amqp_url, *(held(f"e{number}") for number in range(20)))
            await until(lambda: gate.entered == 4)
            assert await _waiting(amqp_url) == 16
            assert counts(engine).accepted == 4
            gate.open()
            await until(lambda: gate.entered == 20)
            await until(lambda: counts(engine).accepted == 20)
            assert gate.most <= 4

    asyncio.run(run())


async def _waiting(url: str) -> int:
    """Messages in the run queue that no worker was given. The broker counts what it gets back when a consumer leaves."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        async with asyncio.timeout(PATIENCE):
            while True:
                queue = await channel.get_queue("graph_execution_queue")
                count = queue.declaration_result.message_count or 0
                if count >= 16:
                    return count
                await asyncio.sleep(0.02)


def test_a_hint_wakes_an_execution_that_waits(amqp_url: str, tmp_path: Path) -> None:
    async def run() -> None:
        store = f"sqlite:///{tmp_path}/store.db"
        async with Engine.open(store, candidate=False) as asking:
            await asking.save_graph(echo_graph(), USER)
            waiting = await asking.add_graph_execution(GRAPH, USER, {"x": 3})
        async with (
            engine_on(amqp_url, store, take_over=False) as engine,
            RabbitPublisher(amqp_url) as publisher,
        ):
            await publisher.hint(waiting.id, USER, str(uuid4()))
            assert (await engine.wait(waiting.id, PATIENCE)).outputs == {"y": [3]}
            await until(lambda: counts(engine).known == 1)
            await publisher.hint(waiting.id, USER, str(uuid4()))
            await until(lambda: counts(engine).known == 2)
            assert counts(engine).refused == 0

    asyncio.run(run())


def test_a_queue_that_is_there_with_other_arguments_is_used_as_it_is(
    amqp_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        connection = await aio_pika.connect(amqp_url)
        async with connection:
            channel = await connection.channel()
            await channel.declare_queue("graph_execution_queue", durable=True)
        async with engine_on(amqp_url) as engine:
            await submit(amqp_url, entry("e1"))
            await until(lambda: counts(engine).accepted == 1)
        assert "graph_execution_queue is used as it is" in caplog.text

    asyncio.run(run())


def test_an_exchange_of_another_kind_is_told_and_tried_again(amqp_url: str) -> None:
    async def run() -> None:
        connection = await aio_pika.connect(amqp_url)
        async with connection, Engine.open("memory:", broker=amqp_url) as engine:
            channel = await connection.channel()
            await until(lambda: intake(engine).connected or "graph_execution" in intake(engine).failure)
            assert not intake(engine).connected
            assert "can't be declared" in intake(engine).failure
            await channel.exchange_delete("graph_execution")
            assert await intake(engine).wait(PATIENCE)

    async def occupy() -> None:
        connection = await aio_pika.connect(amqp_url)
        async with connection:
            channel = await connection.channel()
            await channel.declare_exchange("graph_execution", "fanout", durable=True)

    asyncio.run(occupy())
    asyncio.run(run())


def test_what_the_broker_has_after_a_worker_connected(amqp_url: str) -> None:
    async def run() -> None:
        async with engine_on(amqp_url):
            connection = await aio_pika.connect(amqp_url)
            async with connection:
                channel = await connection.channel()
                for exchange in create_execution_queue_config().exchanges:
                    await channel.get_exchange(exchange.name)
                queue = await channel.get_queue("graph_execution_queue")
                assert queue.declaration_result.consumer_count == 1
                await channel.get_queue("graph_execution_dead_letter_queue")

    asyncio.run(run())


def test_properties_that_can_not_be_read_do_not_end_the_connection(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beyond = (1 << 60).to_bytes(8, "big")

    async def run() -> None:
        connection = await aiormq.connect(amqp_url)
        channel = await connection.channel()
        async with engine_on(amqp_url) as engine:
            with monkeypatch.context() as patch:
                patch.setitem(pamqp.encode.METHODS, "timestamp", lambda _: beyond)
                properties = pamqp.commands.Basic.Properties(message_id="p", timestamp=datetime.now(UTC))
                await channel.basic_publish(
                    entry("e1").to_json(), exchange=RUNS, routing_key=RUN_KEY, properties=properties
                )
            await submit(amqp_url, entry("e2"))
            [letter] = await letters(amqp_url, 1)
            assert (letter.reason, letter.body) == ("malformed", entry("e1").to_json())
            await until(lambda: counts(engine).accepted == 1)
            assert intake(engine).connects == 1
            await DeadLetters(amqp_url).retry()
            await until(lambda: counts(engine).accepted == 2)
        await connection.close()

    asyncio.run(run())


def test_a_url_that_is_none_says_so_without_its_password() -> None:
    async def run(url: str) -> None:
        async with Engine.open("memory:", broker=url):
            raise AssertionError

    for url in ("http://u:canary@host", "amqp://", "canary", "amqp://u:canary@host:port"):
        with pytest.raises(BusUrlError) as caught:
            asyncio.run(run(url))
        assert "amqp://user:password@host" in str(caught.value)
        assert "canary" not in str(caught.value) or url == "canary"
