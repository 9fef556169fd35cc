"""An engine with payload keys: no value stands in the store in plain text, and a destroyed key makes them unreadable."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.kit import PATIENCE, USER, AsyncPairs, World, agent, begin, effect, finish, pure, when
from tests.replay.evidence import KEY, chain

from actbook.engine import Engine, ValuesForgottenError
from actbook.engine._storage import JournalStorage
from actbook.events import ExecutionStatus, UserForgotten, user_stream
from actbook.journal import PayloadKeyError
from actbook.journal.keys import KeyRing, MasterKey, generate_master_key, open_payload_keys
from actbook.projections import compare_views
from actbook.replay import (
    Checkpoints,
    PlainValuesError,
    UserBusyError,
    recorded_events,
    verify_store,
    views_of,
)
from actbook.replay.proof import Checkpoint

CANARY = "canary-7f3a9c"
BIG = CANARY + " sings " * 30_000
MASTER = MasterKey(generate_master_key())


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyRing]:
    with open_payload_keys(f"sqlite:///{tmp_path}/k.db", MASTER) as ring:
        yield ring


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return f"{request.getfixturevalue('postgres_url')}&views={tmp_path}/views.db"
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/s.db"


def world() -> World:
    async def fail(input: Any, context: Any) -> AsyncPairs:
        yield "out", input.value
        raise ValueError(f"{input.value} fell")

    async def store(input: Any, context: Any) -> AsyncPairs:
        from actbook.blocks import storage_for_run

        await storage_for_run.get().set(context.user_id, "key", input.value)
        yield "out", await storage_for_run.get().get(context.user_id, "key")

    return World(Echo=pure(), Paid=effect(), Fail=effect(fail), Store=effect(store))


async def fill(engine: Engine, here: World, text: str = CANARY) -> list[str]:
    """One execution of each kind, all ended; their ids."""
    plain = await finish(engine, chain(here), inputs={"x": text}, idempotency_key=f"once {len(text)}")
    big = await finish(engine, chain(here), inputs={"x": text + BIG})
    child = chain(here, "child")
    nested = here.graph(
        "x:Input g:Agent y:Output",
        "x.result > g.x",
        "g.y > y.value",
        called="nested",
        g=agent(child),
        sub_graphs=[child],
    )
    parent = await finish(engine, nested, inputs={"x": {text: [text, 1, None]}})
    failing = here.graph("x:Input f:Fail y:Output", "x.result > f.value", "f.out > y.value", called="failing")
    failed = await finish(engine, failing, inputs={"x": text})
    storing = here.graph(
        "x:Input s:Store y:Output", "x.result > s.value", "s.out > y.value", called="storing"
    )
    stored = await finish(engine, storing, inputs={"x": text})
    asked = here.graph(
        "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
    )
    run = await begin(engine, asked, inputs={"x": text})
    waiting = await engine.wait(run.id, PATIENCE)
    [number] = waiting.reviews
    await engine.review(USER, f"{run.id}.{number}", True, f"{text} edited", f"{text} is fine")
    await when(engine, lambda event: (event.stream_id, event.topic) == (run.id, "execution.completed"))
    await engine.catch_up(PATIENCE)
    return [plain.id, big.id, parent.id, failed.id, stored.id, run.id]


def found_in(folder: Path, text: str = CANARY) -> list[str]:
    return [each.name for each in folder.rglob("*") if each.is_file() and text.encode() in each.read_bytes()]


def faults(source: Any, *checkpoints: Checkpoint) -> list[Any]:
    checked = verify_store(source, keys=[KEY.public], checkpoints=checkpoints)
    return [fault for one in checked for fault in one.faults]


def sign(engine: Engine) -> Checkpoint:
    with Checkpoints(engine.journal.store) as checkpoints:
        return checkpoints.write(KEY)


def test_values_are_read_as_ever_and_stand_nowhere_in_plain_text(
    url: str, keys: KeyRing, tmp_path: Path
) -> None:
    async def run() -> None:
        here = world()
        async with here.open(url, payload_keys=keys, snapshot_every=2) as engine:
            ids = await fill(engine, here)
            states = [await engine.get_graph_execution(each) for each in ids]
            assert states[0].outputs == {"y": [CANARY]}
            assert states[1].outputs == {"y": [CANARY + BIG]}
            assert states[2].outputs == {"y": [{CANARY: [CANARY, 1, None]}]}
            assert states[4].outputs == {"y": [CANARY]}
            assert states[5].outputs == {"y": [f"{CANARY} edited"]}
            told = await engine.history(ids[3])
            assert any(CANARY in node.error for node in told.state().node_executions.values())
            store = engine.journal.store
            assert not any(CANARY.encode() in row.state for row in store.log_rows(0, None))
            assert faults(store) == []
            assert found_in(tmp_path) == []
            rows = await engine.queries.executions(USER)
            assert {row.id for row in rows} >= set(ids)
            assert CANARY not in repr(rows)
        if url.startswith("sqlite"):
            path = tmp_path / "s.db"
            assert found_in(tmp_path) == []
            assert faults(path) == []
            with views_of(path) as connection:
                assert compare_views(connection, recorded_events(path)) == []

    asyncio.run(run())


def test_a_forgotten_user_is_unreadable_everywhere_and_the_log_still_verifies(
    url: str, keys: KeyRing, tmp_path: Path
) -> None:
    async def run() -> None:
        here = world()
        async with here.open(url, payload_keys=keys, snapshot_every=2) as engine:
            ids = await fill(engine, here)
            other = await begin(engine, chain(here), inputs={"x": "stays"}, user="bob")
            await engine.wait(other.id, PATIENCE)
            before = [(row.position, row.hash, row.state) for row in engine.journal.store.log_rows(0, None)]
            signed = sign(engine) if url.startswith("sqlite") else None
            forgotten = await engine.forget_keys(USER, actor="eve", reason="asked by letter")
            assert forgotten.keys == 1
            assert set(ids) <= set(forgotten.executions)
            for each in ids:
                history = await engine.history(each)
                assert CANARY not in repr(history.events)
                assert "[forgotten]" in repr(history.events)
                assert history.state().status.is_terminal
                assert history.verify() == []
                assert await engine.journal.latest_snapshot(each) is None
                for refused in (engine.retry, engine.resume):
                    with pytest.raises(ValuesForgottenError):
                        await refused(USER, each)
                with pytest.raises(ValuesForgottenError):
                    await engine.fork(each, user_id=USER)
            rows = engine.journal.store.log_rows(0, None)
            assert [(row.position, row.hash, row.state) for row in rows[: len(before)]] == before
            (told,) = await engine.journal.read_stream(user_stream(USER))
            assert isinstance(told.payload, UserForgotten)
            assert (told.payload.actor, told.payload.reason) == ("eve", "asked by letter")
            assert faults(engine.journal.store, *([signed] if signed else [])) == []
            assert (await engine.get_graph_execution(other.id)).outputs == {"y": ["stays"]}
            assert await engine.forget_keys(USER) == ((), 0, 0)
            later = await finish(engine, chain(here), inputs={"x": "later"})
            assert later.outputs == {"y": ["later"]}
            storing = here.graph("x:Input s:Store", "x.result > s.value", called="storing again")
            assert (await finish(engine, storing, inputs={"x": 1})).status is ExecutionStatus.COMPLETED
            assert (await engine.forget_keys(USER)).keys == 1

    asyncio.run(run())


def test_a_copy_of_the_store_from_before_is_unreadable_too(keys: KeyRing, tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        url, backup = f"sqlite:///{tmp_path}/s.db", tmp_path / "backup.db"
        async with here.open(url, payload_keys=keys) as engine:
            ids = await fill(engine, here)
            signed = sign(engine)
        shutil.copy(tmp_path / "s.db", backup)
        async with here.open(url, payload_keys=keys) as engine:
            await engine.forget_keys(USER)
        assert faults(backup, signed) == []
        async with here.open(f"sqlite:///{backup}", payload_keys=keys) as engine:
            for each in ids:
                assert CANARY not in repr((await engine.history(each)).events)
                with pytest.raises(ValuesForgottenError):
                    await engine.fork(each)

    asyncio.run(run())


def test_who_has_no_keys_sees_structure_and_nobody_runs_on_it(keys: KeyRing, tmp_path: Path) -> None:
    async def run() -> None:
        here, url = world(), f"sqlite:///{tmp_path}/s.db"
        async with here.open(url, payload_keys=keys) as engine:
            ended = await finish(engine, chain(here), inputs={"x": CANARY})
        async with here.open(url) as engine:
            with pytest.raises(PayloadKeyError, match="no payload keys were given"):
                await engine.get_graph_execution(ended.id)
            history = await engine.history(ended.id)
            assert history.state().outputs == {"y": ["[sealed]"]}
            assert history.verify() == []
            await engine.catch_up(PATIENCE)
        with open_payload_keys(f"sqlite:///{tmp_path}/other.db", MASTER) as others:
            async with here.open(url, payload_keys=others) as engine:
                for ask in (engine.get_graph_execution, engine.history):
                    with pytest.raises(PayloadKeyError, match="not among these payload keys"):
                        await ask(ended.id)

    asyncio.run(run())


def test_what_goes_on_is_in_the_way_and_nothing_is_destroyed(keys: KeyRing, tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        asked = here.graph(
            "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
        )
        async with here.open(f"sqlite:///{tmp_path}/s.db", payload_keys=keys) as engine:
            waiting = await begin(engine, asked, inputs={"x": CANARY})
            await engine.wait(waiting.id, PATIENCE)
            with pytest.raises(UserBusyError) as told:
                await engine.forget_keys(USER)
            assert told.value.executions == (waiting.id,)
            schedule = await engine.add_schedule(
                waiting.graph_id, USER, cron="0 0 1 1 *", inputs={"x": CANARY}
            )
            await engine.stop_graph_execution(USER, waiting.id)
            with pytest.raises(UserBusyError) as told:
                await engine.forget_keys(USER)
            assert told.value.schedules == (schedule.id,)
            assert keys.destroyed(USER) == []
            assert (await engine.get_graph_execution(waiting.id)).inputs == {"x": CANARY}
            forgotten = await engine.forget_keys(USER, stop=True)
            assert forgotten.executions == (waiting.id,)
            assert (await engine.get_graph_execution(waiting.id)).inputs == {"x": "[forgotten]"}
            assert found_in(tmp_path) == []

    asyncio.run(run())


def test_values_in_plain_text_are_told_instead_of_forgotten(keys: KeyRing, tmp_path: Path) -> None:
    async def run() -> None:
        here, url = world(), f"sqlite:///{tmp_path}/s.db"
        async with here.open(url) as engine:
            old = await finish(engine, chain(here), inputs={"x": CANARY})
            with pytest.raises(PayloadKeyError, match="no payload keys to destroy"):
                await engine.forget_keys(USER)
        async with here.open(url, payload_keys=keys) as engine:
            new = await finish(engine, chain(here), inputs={"x": 1})
            with pytest.raises(PlainValuesError) as told:
                await engine.forget_keys(USER)
            assert told.value.streams == (old.id,)
            assert (await engine.get_graph_execution(new.id)).outputs == {"y": [1]}
            await engine.forget(USER)
            assert found_in(tmp_path) == []
            assert len(keys.destroyed(USER)) == 1
            assert len(await engine.journal.read_stream(user_stream(USER))) == 1

    asyncio.run(run())


def test_an_unfinished_execution_goes_on_under_the_next_owner(keys: KeyRing, url: str) -> None:
    if url == "memory:":
        pytest.skip("a memory store belongs to one process")

    async def run() -> None:
        here = world()
        asked = here.graph(
            "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
        )
        async with here.open(url, payload_keys=keys, snapshot_every=1) as engine:
            waiting = await begin(engine, asked, inputs={"x": CANARY})
            state = await engine.wait(waiting.id, PATIENCE)
            await engine.catch_up(PATIENCE)
            [review] = await engine.queries.reviews(USER)
            assert review.data == CANARY
        async with here.open(url, payload_keys=keys) as engine:
            [number] = state.reviews
            await engine.review(USER, f"{waiting.id}.{number}", approved=True)
            await when(
                engine, lambda event: (event.stream_id, event.topic) == (waiting.id, "execution.completed")
            )
            assert (await engine.get_graph_execution(waiting.id)).outputs == {"y": [CANARY]}

    asyncio.run(run())


def test_what_a_crash_left_unrecorded_is_recorded_the_next_time(keys: KeyRing, tmp_path: Path) -> None:
    async def run() -> None:
        here = world()
        async with here.open(f"sqlite:///{tmp_path}/s.db", payload_keys=keys) as engine:
            ended = await finish(engine, chain(here), inputs={"x": CANARY})
            keys.retire(USER)
            keys.destroy(USER)
            assert await engine.forget_keys(USER) == ((ended.id,), 1, 1)
            (told,) = await engine.journal.read_stream(user_stream(USER))
            assert isinstance(told.payload, UserForgotten)
            assert told.payload.keys == tuple(each.hex() for each in keys.destroyed(USER))

    asyncio.run(run())


def test_a_simulated_execution_is_shown_when_it_was_forgotten(keys: KeyRing) -> None:
    async def run() -> None:
        here = world()
        async with here.open(payload_keys=keys) as engine:
            options: dict[str, Any] = {"simulate": True, "simulation_script": {}}
            ended = await finish(engine, chain(here), inputs={"x": CANARY}, **options)
            await engine.catch_up(PATIENCE)
            await engine.forget_keys(USER)
            assert (await engine.get_graph_execution(ended.id)).simulation is not None
            assert (await engine.history(ended.id)).withheld == "forgotten"

    asyncio.run(run())


def test_values_of_a_user_who_is_back_are_sealed_with_a_new_key(keys: KeyRing) -> None:
    async def run() -> None:
        here = world()
        storing = here.graph("x:Input s:Store y:Output", "x.result > s.value", "s.out > y.value", called="s")
        async with here.open(payload_keys=keys) as engine:
            await finish(engine, storing, inputs={"x": 1})
            await engine.catch_up(PATIENCE)
            await engine.forget_keys(USER)
            assert await JournalStorage(engine.journal).get(USER, "key") is None
            again = await finish(engine, storing, inputs={"x": 2})
            assert again.outputs == {"y": [2]}

    asyncio.run(run())


def test_no_body_is_ever_handed_a_stand_in(keys: KeyRing, tmp_path: Path) -> None:
    """Though it can't happen by `forget_keys`: the keys were destroyed behind the engine's back."""

    async def run() -> None:
        here, url = world(), f"sqlite:///{tmp_path}/s.db"
        asked = here.graph(
            "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
        )
        async with here.open(url, payload_keys=keys) as engine:
            waiting = await begin(engine, asked, inputs={"x": CANARY})
            state = await engine.wait(waiting.id, PATIENCE)
        keys.retire(USER)
        keys.destroy(USER)
        async with here.open(url, payload_keys=keys) as engine:
            [number] = state.reviews
            await engine.review(USER, f"{waiting.id}.{number}", approved=True)
            await when(
                engine, lambda event: (event.stream_id, event.topic) == (waiting.id, "execution.failed")
            )
            assert "were forgotten" in (await engine.get_graph_execution(waiting.id)).error

    asyncio.run(run())
