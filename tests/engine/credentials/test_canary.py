"""A canary in every credential is nowhere but in the bodies that use it: files, logs, events, answers, errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.credentials.kit import (
    USER,
    AskingAny,
    CpuLeak,
    FailingStore,
    Handover,
    asking,
    every_kind,
    leak,
)
from tests.engine.kit import AsyncPairs, Pairs, World, agent, begin, play, sqlite

from actbook.engine import Engine
from actbook.engine.credentials import SqliteCredentials, aggregate_credentials_inputs, generate_key
from actbook.events import GraphExecution
from actbook.graphs import Graph

CANARY = 'canary-7d2f-"quoted"\\and back'
"""With what reprs and JSON escape."""
PARTS = (b"canary-7d2f", b"Y2FuYXJ5LTdkMmY")
"""As it is, and as the beginning of its base64 form."""


def fine(input: Any, context: Any) -> Pairs:
    secrets = list(context.credentials["credentials"].secrets())
    yield "out", f"{len(secrets)} {context.credentials} {context!r} {secrets}"


def raising(input: Any, context: Any) -> Pairs:
    yield "out", 1
    leak(context)


def telling(input: Any, context: Any) -> Pairs:
    [secret, *_] = context.credentials["credentials"].secrets()
    yield "error", f"401 Unauthorized for {secret.reveal()} ({secret.reveal()!r})"


def chained(input: Any, context: Any) -> Pairs:
    yield from ()
    try:
        leak(context)
    except RuntimeError as error:
        raise KeyError(f"while {error!r}") from error


def yielding(input: Any, context: Any) -> Pairs:
    yield "out", context.credentials["credentials"]


async def hanging(input: Any, context: Any) -> AsyncPairs:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        leak(context)
    yield "out", 1


BODIES: dict[str, Any] = {
    f"{run.__name__}{execution.title()}": asking(run, AskingAny, execution=execution)
    for run in (fine, raising, telling, chained, yielding)
    for execution in ("inline", "async", "blocking")
}
WORLD = World(**BODIES, CpuLeak=CpuLeak, hanging=asking(hanging, AskingAny))


def graph_of(*kinds: str) -> Graph:
    """A node of each kind with each credential; all they yield comes out."""
    nodes, links, data = ["out:Output"], [], {}
    for kind in kinds:
        for each in every_kind(CANARY):
            name = f"{kind}_{each.id}"
            nodes.append(f"{name}:{kind}")
            links += [f"{name}.out > out.value", f"{name}.error > out.value"]
            data[name] = {"credentials": msgspec.to_builtins(each.meta)}
    options: dict[str, Any] = data
    return WORLD.graph(" ".join(nodes), *links, called="-".join(kinds)[:60], **options)


async def vault(folder: Path) -> SqliteCredentials:
    store = SqliteCredentials(folder / "vault.db", generate_key())
    for each in every_kind(CANARY):
        await store.put(USER, each)
    return store


async def told(engine: Engine, run: GraphExecution) -> str:
    """Everything that can be asked about a run, as text."""
    await engine.catch_up()
    state = await engine.get_graph_execution(run.id)
    history = await engine.history(run.id)
    rows = await engine.queries.executions()
    events = await engine.journal.read_stream(run.id)
    encoded = msgspec.json.encode([msgspec.to_builtins(event.payload) for event in events])
    return f"{state!r} {history.state()!r} {list(rows)!r} {events!r} {encoded!r} {run!r} {engine._host.settings!r}"


def assert_silent(text: str | bytes, where: str) -> None:
    data = text.encode() if isinstance(text, str) else text
    for part in PARTS:
        at = data.find(part)
        assert at < 0, f"{where}: …{data[max(0, at - 200) : at + 100]!r}"


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_it_is_nowhere_whatever_bodies_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> list[str]:
        async with WORLD.open(sqlite(tmp_path), credentials=await vault(tmp_path)) as engine:
            runs = [await begin(engine, graph_of(*BODIES, "CpuLeak"), user=USER)]
            runs.append(await begin(engine, graph_of("hanging"), user=USER))
            child = graph_of("raisingAsync")
            parent = WORLD.graph("call:Agent", called="parent", sub_graphs=[child], call=agent(child))
            runs.append(await begin(engine, parent, user=USER))
            await engine.wait(runs[0].id, 30)
            await engine.wait(runs[2].id, 30)
            await engine.stop_graph_execution(USER, runs[1].id, 10)
            texts = [await told(engine, run) for run in runs]
            for path in files(tmp_path):
                assert_silent(path.read_bytes(), path.name)
            return texts

    with caplog.at_level(logging.DEBUG):
        texts = play(test())
    for text in texts:
        assert_silent(text, "answers")
    assert "**********" in texts[0]
    assert "refused: " in texts[0]
    assert_silent(caplog.text, "logs")
    assert_silent("".join(str(record.__dict__) for record in caplog.records), "log records")
    for path in files(tmp_path):
        assert_silent(path.read_bytes(), path.name)


def test_it_is_in_no_error_of_a_store_or_a_submission(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph = graph_of("fineAsync")
    failing = FailingStore(*every_kind(CANARY), error=OSError(f"cannot reach host {CANARY}"))

    async def test() -> list[str]:
        texts: list[str] = []
        async with WORLD.open(
            sqlite(tmp_path), credentials=Handover(failing, *every_kind(CANARY)[:1])
        ) as engine:
            try:
                await begin(engine, graph, user=USER)
            except Exception as error:
                texts.append(f"{error} {error!r}")
        async with WORLD.open(sqlite(tmp_path), credentials=await vault(tmp_path)) as engine:
            wrong = {"fineAsync_a": {"credentials": {"id": "o", "provider": "github", "type": "api_key"}}}
            try:
                await begin(engine, graph, user=USER, nodes_input_masks=wrong)
            except Exception as error:
                texts.append(f"{error} {error!r} {vars(error)}")
        return texts

    with caplog.at_level(logging.DEBUG):
        texts = play(test())
    assert "failed: OSError" in texts[0]
    assert "mismatch" in texts[1]
    for text in texts:
        assert_silent(text, "errors")
    assert_silent(caplog.text, "logs")


@pytest.mark.parametrize("door", ["nodes_input_masks", "graph_credentials_inputs"])
def test_a_whole_credential_that_is_given_by_mistake_is_recorded_by_its_metadata(
    tmp_path: Path, door: str
) -> None:
    graph = graph_of("fineAsync")
    whole = {
        each.id: {**msgspec.to_builtins(each.meta), "api_key": CANARY, "password": CANARY}
        for each in every_kind(CANARY)
    }
    given = {f"fineAsync_{name}": {"credentials": value} for name, value in whole.items()}
    if door == "graph_credentials_inputs":
        given = {
            key: next(iter(whole.values()))
            for key in aggregate_credentials_inputs(graph, registry=WORLD.registry)
        }

    async def test() -> str:
        async with WORLD.open(sqlite(tmp_path), credentials=await vault(tmp_path)) as engine:
            run = await begin(engine, graph, user=USER, **{door: given})
            done = await engine.wait(run.id, 30)
            assert done.stats.node_error_count == 0
            return await told(engine, run)

    assert_silent(play(test()), "answers")
    for path in files(tmp_path):
        assert_silent(path.read_bytes(), path.name)
