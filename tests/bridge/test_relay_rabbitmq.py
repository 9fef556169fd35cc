"""Run messages from the journal to RabbitMQ: by the relay, and again by `requeue`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from tests.bridge.nats_kit import LONG
from tests.bridge.test_nats_processes import doubling

from actbook.bridge.rabbitmq import create_execution_queue_config
from actbook.cli import main as actbook
from actbook.engine import Engine


def test_what_waits_is_told_to_the_broker_and_told_again(
    amqp_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = f"sqlite:///{tmp_path}/store.db"

    async def submit() -> str:
        async with Engine.open(store) as engine:
            graph = await engine.save_graph(doubling(), "ada")
            later = datetime.now(UTC) + timedelta(days=1)
            return (await engine.add_graph_execution(graph.id, "ada", {"a": 1}, start_at=later)).id

    waiting = asyncio.run(submit())

    def call(*arguments: str) -> Any:
        assert actbook([*arguments, "--store", store, "--broker", amqp_url, "-o", "json"]) == 0
        return json.loads(capfd.readouterr().out)

    [status] = call("relay", "--until-idle")
    assert (status["name"], status["behind"], status["set_aside"]) == ("rabbitmq", 0, 0)
    assert call("requeue")["executions"] == [waiting]
    assert asyncio.run(_run_messages(amqp_url, 2)) == [waiting, waiting]


async def _run_messages(url: str, count: int) -> list[str]:
    config = create_execution_queue_config()
    connection = await aio_pika.connect(url)
    found: list[str] = []
    async with connection, asyncio.timeout(LONG):
        channel = await connection.channel()
        queue = await channel.get_queue(config.queues[0].name)
        async with queue.iterator() as messages:
            async for message in messages:
                found.append(json.loads(message.body)["graph_exec_id"])
                await message.ack()
                if len(found) == count:
                    break
    return found
