"""A worker whose event loop stands still keeps no lease: others go on with what it had."""

from __future__ import annotations

from pathlib import Path

from tests.engine.kit import PATIENCE, USER, World, begin, play
from tests.engine.owner import HungBlock
from tests.engine.test_recovery import here, other_process
from tests.engine.workers.test_workers import who_ran

from actbook.events import ExecutionStatus

LEASE = 1.5


def test_what_a_hung_worker_had_goes_on_elsewhere_and_it_begins_anew(
    postgres_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        world = here(World())
        world.registry.register(HungBlock)
        world.ids["Hung"] = HungBlock.id
        hung = world.graph("x:Input h:Hung y:Output", "x.result > h.value", "h.out > y.value")
        held = world.graph("x:Input h:Held", "x.result > h.value", called="held")
        wake = tmp_path / "wake"
        async with (
            other_process(postgres_url, lease=LEASE) as worker,
            world.open(postgres_url, candidate=False) as asker,
        ):
            run = await begin(asker, hung, inputs={"x": str(wake)})
            assert await worker.says() == ["hung", run.id]
            (name,) = await who_ran(asker, run.id)
            async with world.open(postgres_url, lease=LEASE) as heir:
                state = await asker.wait(run.id, PATIENCE)
                assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"y": [2]})
                assert await who_ran(asker, run.id) == [name, heir.worker]
            ended = await asker.journal.head(run.id)
            wake.touch()
            later = await begin(asker, held, inputs={"x": 1})
            assert await worker.says() == ["held", later.id]
            assert await asker.journal.head(run.id) == ended
            (again,) = await who_ran(asker, later.id)
            assert again not in (name, heir.worker)
            stopped = await asker.stop_graph_execution(USER, later.id, PATIENCE)
            assert stopped.status is ExecutionStatus.TERMINATED

    play(test())
