"""`python -m tests.golden` writes the golden journal of this version."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.engine.kit import PATIENCE, USER, AsyncPairs, Gate, World, begin, effect, finish
from tests.golden.examples import example, topics
from tests.golden.journal import FOLDER, write
from tests.golden.views import write_views
from tests.replay.evidence import chain, fill, world

from actbook.engine import Engine
from actbook.events import Append, Draft
from actbook.graphs import Graph
from actbook.journal import SQLiteStore

AT = 1_790_000_000_000_000


async def _tell_stories(url: str) -> None:
    here = world()
    async with here.open(url) as engine:
        whole = await finish(engine, chain(here), inputs={"x": {"list": [1, 2.5, None, "ü"]}})
        fork = await engine.fork(whole.id, position=None, inputs=None, user_id=USER)
        await engine.wait(fork.id, PATIENCE)
        await _share(engine, await engine.save_graph(chain(here), USER))
        await _schedule(engine)
    await _stop_and_go_on(url)


async def _share(engine: Engine, graph: Graph) -> None:
    await engine.share_graph(graph.id, USER, with_user="eve")
    await engine.unshare_graph(graph.id, USER, with_user="eve")


async def _schedule(engine: Engine) -> None:
    schedule = await engine.add_schedule("graph", USER, cron="0 0 29 2 *", inputs={"x": 1})
    await engine.pause_schedule(USER, schedule.id)
    await engine.resume_schedule(USER, schedule.id)
    await engine.remove_schedule(USER, schedule.id)


async def _stop_and_go_on(url: str) -> None:
    gate = Gate()
    failed: list[bool] = []

    async def fail_once(input: Any, context: Any) -> AsyncPairs:
        if not failed:
            failed.append(True)
            raise ValueError("the first time")
        yield "out", input.value

    there = World(Hold=gate.block(), Once=effect(fail_once))
    line = ("x.result > n.value", "n.out > y.value")
    async with there.open(url) as engine:
        held = await begin(
            engine, there.graph("x:Input n:Hold y:Output", *line, called="held"), inputs={"x": 1}
        )
        await gate.reached()
        await engine.stop_graph_execution(USER, held.id, 10)
        gate.open()
        await engine.resume(USER, held.id, reason="on")
        await engine.wait(held.id, PATIENCE)
        once = await finish(
            engine, there.graph("x:Input n:Once y:Output", *line, called="once"), inputs={"x": 1}
        )
        await engine.retry(USER, once.id, reason="again")
        await engine.wait(once.id, PATIENCE)


def _add_examples(store: SQLiteStore) -> None:
    for topic, kind in sorted(topics().items()):
        draft = Draft(example(kind), AT, 1, b"")
        [answer] = store.write(
            [Append(f"example:{topic}", 0, [draft], "a user", "a correlation", "00-trace-01")]
        )
        assert not isinstance(answer, Exception), answer


def main() -> None:
    """Runs the stories on a file, and writes down what was recorded."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "golden.db"
        fill(path)
        asyncio.run(_tell_stories(f"sqlite:///{path}"))
        store = SQLiteStore(str(path))
        _add_examples(store)
        with closing(sqlite3.connect(path)) as connection:
            digests = [row[0] for row in connection.execute("SELECT sha256 FROM blobs ORDER BY sha256")]
        golden = FOLDER / f"{version('actbook')}.jsonl"
        write(golden, store, digests)
        store.close()
        write_views(golden)
        print(golden)


if __name__ == "__main__":
    main()
