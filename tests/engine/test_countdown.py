"""A countdown goes on in the next process where it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.blocks.graph_building import graph, node
from tests.engine.kit import PATIENCE, World, begin, play, sqlite, when

from actbook.blocks import clock_for_run
from actbook.events import ExecutionStatus


def test_what_fell_due_while_nobody_ran_it_comes_at_once_and_once(tmp_path: Path) -> None:
    timer = graph(
        node("wait", "CountdownTimer", input_message="up", hours=1, repeat=2),
        node("out", "AgentOutput", name="Said"),
        links="wait.output_message -> out.value",
        id="timer",
    )

    async def test() -> None:
        url = sqlite(tmp_path)
        async with World().open(url) as engine:
            run = await begin(engine, timer)
            await when(engine, lambda event: event.topic == "node.started")
        clock_for_run.set(lambda: datetime.now(UTC) + timedelta(hours=3))
        async with World().open(url) as engine:
            state = await engine.wait(run.id, PATIENCE)
            assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"Said": ["up", "up"]})

    play(test())
