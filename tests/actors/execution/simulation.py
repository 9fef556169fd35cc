"""The domain actors in virtual time: a journal, bodies and clock whose delays, orders and faults follow from a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, cast

from actbook.actors import (
    ActorSystem,
    Alarms,
    Bodies,
    Environment,
    ManualDispatcher,
    Notify,
    Submit,
    SupervisionPolicy,
    Supervisor,
    Timing,
)
from actbook.actors._bodies import Body, BodySink, Outcome
from actbook.blocks import Registry
from actbook.engine._graph_store import GraphStore
from actbook.engine._preparation import Preparation
from actbook.engine.credentials import EnvironmentCredentials
from actbook.events import Append, Appended, Create, Draft, Envelope, Event, GraphExecution, inbox_of
from actbook.graphs import Block, ExecutionContext, Graph
from actbook.journal import Journal, MemoryStore, Snapshot
from actbook.journal._barriers import Barriers
from actbook.journal._errors import StoreIOError
from actbook.journal._prepared import Prepared, prepare

COMPLETED = Outcome("completed")
Done = Callable[[Appended | Exception], None]


class Chance:
    """What may go wrong, and how often: probabilities by name, drawn from the seed. `over` ends all trouble."""

    def __init__(self, seed: int, **probabilities: float) -> None:
        self.random = random.Random(seed)
        self._probabilities = probabilities
        self.over = False

    def __call__(self, name: str) -> bool:
        probability = self._probabilities.get(name, 0.0)
        return bool(probability) and not self.over and self.random.random() < probability

    def delay(self, most: float) -> float:
        return self.random.random() * most


class SimulatedJournal:
    """A memory store behind slow, failing, batched commits and slow reads."""

    def __init__(self, dispatcher: ManualDispatcher, chance: Chance) -> None:
        self.store = MemoryStore()
        self.failures = 0
        self._dispatcher = dispatcher
        self._chance = chance
        self._barriers = Barriers()
        self._queue: list[tuple[int, Prepared, Done]] = []
        self._number = 0

    def submit(self, append: Append, done: Done, *, lead: bool = False) -> None:
        self._number += 1
        self._queue.append((self._number, prepare(append), done))
        if len(self._queue) == 1:
            self._dispatcher.call_later(self._chance.delay(0.005), self._commit)

    def _commit(self) -> None:
        requests, self._queue = self._queue, []
        refused = self._barriers.refuse((number, prepared) for number, prepared, _ in requests)
        batch = [prepared for number, prepared, _ in requests if number not in refused]
        if batch and self._chance("commit"):
            self.failures += 1
            outcomes: list[Any] = [StoreIOError("simulated", "disk I/O error")] * len(batch)
        else:
            outcomes = list(self.store.write_prepared(batch).outcomes) if batch else []
        answers = iter(outcomes)
        results = [refused.get(number) or next(answers) for number, _, _ in requests]
        for (_, prepared, _), result in zip(requests, results, strict=True):
            if isinstance(result, Exception):
                self._barriers.raise_for(prepared, result)
        self._dispatcher.call_later(self._chance.delay(0.002), lambda: self._answer(requests, results))

    def _answer(self, requests: list[tuple[int, Prepared, Done]], results: list[Any]) -> None:
        for (_, prepared, done), result in zip(requests, results, strict=True):
            self._barriers.bound(prepared, self._number)
            done(result)

    async def append(self, append: Append) -> Appended:
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

        def done(result: Appended | Exception) -> None:
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        self.submit(append, done)
        return await answer

    async def _read(self, read: Callable[[], Any]) -> Any:
        await asyncio.sleep(self._chance.delay(0.003))
        if self._chance("read"):
            self.failures += 1
            raise StoreIOError("simulated", "disk I/O error")
        result = read()
        await asyncio.sleep(self._chance.delay(0.003))
        return result

    async def read_stream(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Envelope]:
        events: list[Envelope] = await self._read(lambda: self.store.read_stream(stream_id, after, limit))
        return events

    async def read_streams(self, wanted: Sequence[tuple[str, int]]) -> list[list[Envelope] | Exception]:
        answers: list[list[Envelope] | Exception] = []
        for stream_id, after in wanted:
            try:
                answers.append(await self.read_stream(stream_id, after))
            except StoreIOError as error:
                answers.append(error)
        return answers

    async def head(self, stream_id: str) -> int:
        return int(await self._read(lambda: self.store.head(stream_id)))

    async def unfinished(self) -> list[str]:
        streams: list[str] = await self._read(self.store.unfinished)
        return streams

    async def latest_snapshot(self, stream_id: str, at_most: int | None = None) -> Snapshot | None:
        snapshot: Snapshot | None = await self._read(lambda: self.store.latest_snapshot(stream_id, at_most))
        return snapshot

    async def put_snapshot(self, stream_id: str, version: int, state: bytes, state_hash: bytes) -> None:
        await self._read(lambda: self.store.put_snapshot(Snapshot(stream_id, version, state, state_hash)))


class SimulatedBody:
    """Yields what its block yields, piece by piece, at moments drawn from the seed."""

    def __init__(self, bodies: SimulatedBodies, block: Block, sink: BodySink) -> None:
        self.done = False
        self._bodies = bodies
        self._mode = block.execution
        self._sink = sink
        self._cancelled = False

    def begin(self, pairs: list[tuple[str, Any]], end: Outcome = COMPLETED) -> None:
        self._pairs = pairs
        self._outcome = end
        if self._mode == "inline":
            self._end(end)
        else:
            self._bodies.later(0.01, self._go_on)

    def _go_on(self) -> None:
        if self.done or self._cancelled:
            return
        count = self._bodies.chance.random.randint(0, len(self._pairs))
        if self._bodies.chance("piecewise") and count:
            items, self._pairs = self._pairs[:count], self._pairs[count:]
            self._sink.outputs(items)
            self._bodies.later(0.01, self._go_on)
        else:
            self._end(self._outcome)

    def cancel(self, grace: float) -> None:
        if self.done or self._cancelled:
            return
        self._cancelled = True
        self._pairs = []
        abandoned = self._bodies.chance("stubborn")
        kind = Outcome("abandoned", stopped=False) if abandoned else Outcome("cancelled")
        self._bodies.later(grace, lambda: self._end(kind), exactly=abandoned)

    def _end(self, outcome: Outcome) -> None:
        if self.done:
            return
        self.done = True
        self._bodies.running -= 1
        self._bodies.slots[self._mode] += 1
        self._sink.finished(self._pairs, outcome)


class SimulatedBodies:
    """Runs synchronous blocks; `begun` remembers each start: execution, node, attempt."""

    def __init__(self, dispatcher: ManualDispatcher, chance: Chance, places: int) -> None:
        self.chance = chance
        self.places = places
        self.slots = {"inline": 2**62, "async": places, "blocking": places, "cpu": places}
        self.running = 0
        self.begun: list[tuple[str, str, int]] = []
        self.on_begin: Callable[[str], None] = lambda _execution_id: None
        self.on_thread_back: Callable[[], object] | None = None
        self._dispatcher = dispatcher

    def start(
        self,
        block: Block,
        input: Any,
        context: ExecutionContext,
        sink: BodySink,
        *,
        timeout: float | None = None,
    ) -> Body:
        assert self.slots[block.execution] > 0
        self.slots[block.execution] -= 1
        self.running += 1
        self.begun.append((context.graph_exec_id, context.node_id, context.attempt))
        if block.effects:
            self.on_begin(context.graph_exec_id)
        body = SimulatedBody(self, block, sink)
        run: Any = block.run
        try:
            pairs = list(run(block.input_schema.build(input), context))
        except ValueError as error:
            body.begin([], Outcome("failed", str(error), "ValueError"))
        else:
            body.begin(pairs)
        return cast("Body", body)

    def later(self, most: float, call: Callable[[], None], *, exactly: bool = False) -> None:
        self._dispatcher.call_later(most if exactly else self.chance.delay(most), call)


class Simulation:
    """One engine's actors on a simulated journal; several of them may share one."""

    def __init__(
        self,
        dispatcher: ManualDispatcher,
        journal: SimulatedJournal,
        registry: Registry,
        chance: Chance,
        *,
        worker: str = "w",
        places: int = 100,
        max_active: int = 1000,
        policy: SupervisionPolicy | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.journal = journal
        self.chance = chance
        self.left: list[GraphExecution] = []
        self.bodies = SimulatedBodies(dispatcher, chance, places)
        port = cast("Journal", journal)
        self.preparation = Preparation(GraphStore(port), registry, EnvironmentCredentials())
        self.environment = Environment(
            journal=port,
            bodies=cast("Bodies", self.bodies),
            plans=self.preparation,
            worker=worker,
            on_left=self.left.append,
            clock=self._clock,
            alarms=Alarms(clock=self.now, call_later=dispatcher.call_later),
            timing=Timing(grace=0.05, linger=0.01, retry_after=0.1),
            snapshot_every=20,
        )
        self.system = ActorSystem(dispatcher, name=worker)
        self.supervisor = self.system.spawn(
            Supervisor,
            self.environment,
            max_active=max_active,
            policy=policy
            or SupervisionPolicy(max_restarts=1000, window=1000.0, backoff=0.001, backoff_max=0.01),
        )
        self.environment.connect(self.supervisor)

    def _clock(self) -> int:
        # Every decision asks for the time, so this is where a handler can break.
        if self.chance("crash"):
            raise RuntimeError("simulated fault in a handler")
        return self.now()

    def now(self) -> int:
        """The wall clock."""
        return 1_000_000 + round(self.dispatcher.now() * 1e6)

    def do(self, work: Callable[[], Any]) -> None:
        """Does something soon, on the virtual loop."""
        self.dispatcher.call_later(0.0, lambda: self.environment.background(work()))

    def submit(self, graph: Graph, execution_id: str, inputs: dict[str, Any], **options: Any) -> list[Any]:
        """Asks for an execution; the answer will be in the list."""
        answers: list[Any] = []

        async def work() -> None:
            prepared = await self.preparation.prepare(graph, None)
            starting = tuple(prepared.starting(inputs, {}))
            create = Create(
                execution_id=execution_id, user_id="u", inputs=inputs, starting=starting, **options
            )
            self.environment.submit(Submit(prepared.plan, create, answers.append))

        self.do(work)
        return answers

    async def save(self, graph: Graph) -> None:
        await self.preparation._graphs.save(graph, "u")

    def tell(self, execution_id: str, message: Event) -> None:
        """Puts a message into the inbox, durably, and wakes the owner; insists if the store fails."""

        async def work() -> None:
            append = Append(inbox_of(execution_id), None, [Draft(message, 1)], "u", execution_id)
            while True:
                try:
                    await self.journal.append(append)
                    break
                except StoreIOError:
                    await asyncio.sleep(0.01)
            self.supervisor.tell(Notify(execution_id))

        self.do(work)

    def events(self, execution_id: str) -> Sequence[Envelope]:
        return self.journal.store.read_stream(execution_id)

    def executions(self) -> list[str]:
        return [each for each in self.journal.store.stream_ids() if ":" not in each]
