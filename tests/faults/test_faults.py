"""Workers, the relay and every server die at random while executions come in: nothing is lost, and nothing recorded twice.

`ACTBOOK_TEST_FAULTS` executions (120 unless told otherwise); from 1,000 on the broker is killed, too. `ACTBOOK_TEST_LOGS` names a
folder for what the processes print.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.bridge.nats_kit import check_whole, stored
from tests.services import nats, postgres, rabbitmq

from actbook.blocks.standard import standard_id
from actbook.bridge import BusUnavailableError
from actbook.bridge.nats import bus_config
from actbook.bridge.rabbitmq import RabbitPublisher
from actbook.engine import Engine
from actbook.events import ExecutionStatus, GraphExecutionEntry
from actbook.graphs import Graph, Link, Node
from actbook.journal import open_store
from actbook.replay import verify_streams

RUNS = int(os.environ.get("ACTBOOK_TEST_FAULTS", "120"))
WORKERS = 4 if RUNS >= 1000 else 3
PATIENCE = max(120.0, RUNS / 5)
USER = "shop"
SEED = int(os.environ.get("ACTBOOK_TEST_SEED", "1"))
LOGS = os.environ.get("ACTBOOK_TEST_LOGS", "")


def graph(steps: int = 4) -> Graph:
    nodes = [
        Node(id="in", block_id=standard_id("AgentNumberInputBlock"), input_default={"name": "x"}),
        *(
            Node(
                id=f"n{number}",
                block_id=standard_id("CalculatorBlock"),
                input_default={"operation": "Add", "b": 1},
            )
            for number in range(steps)
        ),
        Node(id="out", block_id=standard_id("AgentOutputBlock"), input_default={"name": "y"}),
    ]
    links = [Link(source_id="in", source_name="result", sink_id="n0", sink_name="a")]
    links.extend(
        Link(source_id=f"n{number - 1}", source_name="result", sink_id=f"n{number}", sink_name="a")
        for number in range(1, steps)
    )
    links.append(Link(source_id=f"n{steps - 1}", source_name="result", sink_id="out", sink_name="value"))
    return Graph(id="line", nodes=nodes, links=links)


class Process:
    """One `actbook …` that is started again whenever it was killed."""

    _numbers = count()

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._log = Path(LOGS, f"{arguments[0]}-{next(self._numbers)}.log") if LOGS else Path(os.devnull)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-X", "faulthandler", "-m", "actbook.cli", *self._arguments),
                stdout=log,
                stderr=log,
            )

    async def end(self, number: signal.Signals) -> int:
        """Its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(ProcessLookupError):
            process.send_signal(number)
        return await process.wait()

    async def replace(self) -> None:
        await self.end(signal.SIGKILL)
        await self.start()


@asynccontextmanager
async def running(processes: list[Process]) -> AsyncIterator[None]:
    try:
        for process in processes:
            await process.start()
        yield
    finally:
        for process in processes:
            await process.end(signal.SIGTERM)


async def submit(broker: str, ids: list[str]) -> int:
    """Until the broker keeps it, under one id; some twice. How many messages were sent."""
    sent = 0
    async with RabbitPublisher(broker) as publisher:
        for number, run_id in enumerate(ids):
            for _ in range(2 if number % 10 == 0 else 1):
                entry = GraphExecutionEntry(
                    user_id=USER, graph_exec_id=run_id, graph_id="line", graph_version=1
                )
                while True:
                    sent += 1
                    try:
                        await publisher.submit(entry, {"x": number}, message_id=run_id)
                        break
                    except BusUnavailableError:
                        await asyncio.sleep(0.2)
    return sent


async def restart(server: Any) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def havoc(kills: list[Callable[[], Awaitable[None]]], chance: random.Random) -> None:
    for kill in kills:
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        await kill()


async def created(engine: Engine, missing: set[str]) -> None:
    """Returns when all of them are recorded."""
    events = engine.journal.subscribe(0, ("execution.created",))
    async for event in events:
        missing.discard(event.stream_id)
        if not missing:
            await events.aclose()
            return


async def play(store: str, broker: Any, bus: Any, database: Any) -> None:
    chance = random.Random(SEED)
    ids = [str(uuid4()) for _ in range(RUNS)]
    events = f"{bus.url}?tenant=faults"
    workers = [Process("worker", "--store", store, "--broker", broker.url) for _ in range(WORKERS)]
    relay = Process("relay", "--store", store, "--bus", events)
    async with Engine.open(store, candidate=False, lease=60.0) as asker, running([*workers, relay]):
        await asker.save_graph(graph(), USER)
        kills: list[Callable[[], Awaitable[None]]] = [
            *(worker.replace for worker in workers),
            relay.replace,
            lambda: restart(database),
            lambda: restart(bus),
            chance.choice(workers).replace,
        ]
        chance.shuffle(kills)
        if RUNS >= 1000:
            kills = [*kills, lambda: restart(broker)] * (RUNS // 1000)
        async with asyncio.timeout(PATIENCE):
            sent, _ = await asyncio.gather(submit(broker.url, ids), havoc(kills, chance))
            await created(asker, set(ids))
            for number, run_id in enumerate(ids):
                state = await asker.wait(run_id)
                assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"y": [number + 4]})
        assert await asker.journal.unfinished() == []
        last = await asker.journal.last_position()
    last_relay = Process("relay", "--store", store, "--bus", events, "--until-idle")
    await last_relay.start()
    assert last_relay._process is not None
    assert await asyncio.wait_for(last_relay._process.wait(), PATIENCE) == 0
    with closing(open_store(store)) as opened:
        for checked in verify_streams(opened, ids):
            assert checked.ok, checked
        topics = [event.topic for run_id in ids for event in opened.read_stream(run_id)]
        assert topics.count("execution.completed") == RUNS
        begun = opened.read_log(limit=None, topics=("execution.created",))
        assert len(begun) == RUNS
        assert sent >= RUNS + RUNS // 10
        print(f"{sent} messages, {sent - RUNS} of them repeated, for {RUNS} executions; {len(kills)} kills")
        assert opened.last_position() == last
    check_whole(await stored(bus_config(events)), last)


@pytest.mark.timeout(2 * PATIENCE)
def test_whatever_dies_nothing_is_lost_and_nothing_recorded_twice() -> None:
    with ExitStack() as stack:
        database = stack.enter_context(postgres.private_server())
        broker = stack.enter_context(rabbitmq.private_broker())
        bus = stack.enter_context(nats.private())
        asyncio.run(play(f"{database.url}?views=memory:", broker, bus, database))
