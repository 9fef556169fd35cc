"""The relay as part of an engine, and as a process of its own that dies."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from tests.bridge.nats_kit import LONG, caught_up, check_whole, drafts, fill, journal_at, stored, tenant
from tests.engine.kit import INPUT, OUTPUT

from actbook.bridge import Ledger
from actbook.bridge.nats import bus_config, consume
from actbook.cli import main as actbook
from actbook.engine import Engine
from actbook.events import Append, Draft, ExecutionCompleted, WarningRecorded
from actbook.graphs import Graph, Link, Node


def bus_at(nats_url: str, **query: object) -> str:
    return f"{nats_url}?tenant={tenant()}" + "".join(f"&{name}={value}" for name, value in query.items())


def doubling() -> Graph:
    nodes = [
        Node(id="in", block_id=INPUT, input_default={"name": "a"}),
        Node(id="out", block_id=OUTPUT, input_default={"name": "b"}),
    ]
    link = Link(id="l", source_id="in", source_name="result", sink_id="out", sink_name="value")
    return Graph(id="doubling", name="doubling", nodes=nodes, links=[link])


@pytest.mark.parametrize("place", ["sqlite", "postgres"])
def test_an_engine_with_a_bus_publishes_what_it_runs(
    place: str, nats_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = f"sqlite:///{tmp_path}/store.db"
    if place == "postgres":
        store = request.getfixturevalue("postgres_url")

    async def main() -> None:
        bus = bus_at(nats_url)
        async with Engine.open(store, bus=bus) as engine:
            graph = await engine.save_graph(doubling(), "ada")
            run = await engine.add_graph_execution(graph.id, "ada", {"a": 21})
            await engine.wait(run.id, LONG)
            async with (
                asyncio.timeout(LONG),
                aclosing(consume(bus, "test", topics=["execution.completed"])) as ends,
            ):
                async for event in ends:
                    assert (event.stream_id, event.user_id) == (run.id, "ada")
                    assert isinstance(event.payload, ExecutionCompleted)
                    break
            assert engine.relay is not None
            await caught_up(engine.relay, engine.journal)
            last = await engine.journal.last_position()
        check_whole(await stored(bus_config(bus)), last)

    asyncio.run(main())


def test_a_relay_killed_between_publishing_and_recording_doubles_and_loses_nothing(
    nats_url: str, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/store.db"
    bus = bus_at(nats_url)

    async def write() -> None:
        async with journal_at(tmp_path / "store.db") as journal:
            await asyncio.gather(*(journal.append(Append(f"s{n}", 0, drafts(30), "u")) for n in range(40)))

    asyncio.run(write())
    for count in (1, 2, 1):
        command = [sys.executable, "-m", "tests.bridge.dying_relay", store, bus, str(count)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert actbook(["relay", "--store", store, "--bus", bus, "--until-idle"]) == 0
    check_whole(asyncio.run(stored(bus_config(bus))), 1200)


def test_a_killed_relay_is_followed_by_the_one_that_stood_by(nats_url: str, tmp_path: Path) -> None:
    """Events flow meanwhile, from a third process."""
    store, bus = f"sqlite:///{tmp_path}/store.db", bus_at(nats_url)

    async def main() -> None:
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 1, 1)
        async with Engine.open(store) as engine:
            first = _begin("relay", "--store", store, "--bus", bus)
            second = None
            try:
                await _reaches(engine, 1)
                second = _begin("relay", "--store", store, "--bus", bus)
                await fill(engine.journal, 20, 10)
                first.kill()
                await fill(engine.journal, 20, 10)
                last = await engine.journal.last_position()
                await _reaches(engine, last)
                second.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(second.wait, LONG) == 0
            finally:
                for process in (first, second):
                    if process is not None:
                        process.kill()
                        process.wait()
            check_whole(await stored(bus_config(bus)), last)

    asyncio.run(main())


def _begin(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "actbook.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _reaches(engine: Engine, position: int) -> None:
    """Another process relays: how far it is stands in the store."""
    ledger = await asyncio.to_thread(Ledger, engine.journal.store)
    try:
        async with asyncio.timeout(LONG):
            while not any(track.position >= position for track in ledger.tracks()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        ledger.close()


def test_relay_and_requeue_on_the_command_line(
    nats_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store, bus = f"sqlite:///{tmp_path}/store.db", bus_at(nats_url)

    async def write() -> None:
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 2, 3)
            await journal.append(Append("big", 0, [Draft(WarningRecorded("x" * 2_000_000), 1)], "u"))

    asyncio.run(write())

    def call(*arguments: str, code: int = 0) -> Any:
        assert actbook([*arguments, "--store", store, "--bus", bus, "-o", "json"]) == code
        return json.loads(capfd.readouterr().out)

    [status] = call("relay", "--until-idle")
    assert (status["published"], status["behind"], status["set_aside"]) == (6, 0, 1)
    [status] = call("relay", "--until-idle")
    assert (status["published"], status["position"]) == (0, 7)
    answer = call("requeue", code=10)
    assert (answer["published"], len(answer["refused"])) == ([], 1)
    assert "bytes" in answer["refused"][0]["reason"]
    call("requeue", "--after", "0", code=10)
    [status] = call("relay", "--until-idle")
    assert (status["repeated"], status["set_aside"], status["behind"]) == (6, 1, 0)
    check_whole(asyncio.run(stored(bus_config(bus))), 6)


@pytest.mark.parametrize("verb", ["relay", "requeue"])
def test_without_a_bus_the_command_says_what_is_missing(
    verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACTBOOK_BUS", "ACTBOOK_BROKER"):
        monkeypatch.delenv(name, raising=False)
    assert actbook([verb, "--store", f"sqlite:///{tmp_path}/store.db"]) == 2
    assert "--bus nats://" in capfd.readouterr().err
    (tmp_path / "store.db").touch()
    assert actbook([verb, "--store", f"sqlite:///{tmp_path}/store.db", "--bus", "http://x"]) in (2, 9)
