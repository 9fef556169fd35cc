"""Small graphs, and a graph execution driven by hand: the test stands in the place of the actors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from actbook.events import (
    BodiesStopped,
    CancelRequested,
    Claim,
    Command,
    Create,
    Decider,
    Draft,
    ExecutionStatus,
    GraphExecution,
    Handle,
    InboxHandled,
    Limits,
    NodeExecution,
    Past,
    Report,
    ResumeRequested,
    RetryRequested,
    Start,
    failed_of,
    fold,
)
from actbook.graphs import AGENT_BLOCK_ID, Block, BlockType, Graph, Link, Node, Plan

Body = Callable[[dict[str, Any]], Iterable[tuple[str, Any]]]


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class Anything(msgspec.Struct):
    out: Any = None
    item: Any = None
    error: str = ""


class SourceBlock(Block):
    id = _id(1)
    Output = Anything

    class Input(msgspec.Struct):
        seed: Any = None


class EchoBlock(Block):
    id = _id(2)
    Output = Anything

    class Input(msgspec.Struct):
        value: Any


class PairBlock(Block):
    id = _id(3)
    Output = Anything

    class Input(msgspec.Struct):
        a: Any
        b: Any


class TrioBlock(Block):
    id = _id(4)
    Output = Anything

    class Input(msgspec.Struct):
        a: Any
        b: Any
        c: Any


class NumberBlock(Block):
    id = _id(5)
    Output = Anything

    class Input(msgspec.Struct):
        value: int


class StaticBlock(Block):
    id = _id(6)
    Output = Anything
    static_output = True

    class Input(msgspec.Struct):
        value: Any = None


class GraphOutputBlock(Block):
    id = _id(7)
    block_type = BlockType.OUTPUT

    class Input(msgspec.Struct):
        name: str
        value: Any = None

    class Output(msgspec.Struct):
        output: Any = None
        name: Any = None


class NoteBlock(Block):
    id = _id(8)
    Output = Anything
    block_type = BlockType.NOTE

    class Input(msgspec.Struct):
        text: Any


class ReviewBlock(Block):
    id = _id(9)
    block_type = BlockType.HUMAN_IN_THE_LOOP

    class Input(msgspec.Struct):
        data: Any

    class Output(msgspec.Struct):
        approved_data: Any = None
        rejected_data: Any = None
        review_message: str = ""
        error: str = ""


class SensitiveBlock(Block):
    id = _id(10)
    Output = Anything
    is_sensitive_action = True

    class Input(msgspec.Struct):
        value: Any


class AgentBlock(Block):
    id = AGENT_BLOCK_ID
    block_type = BlockType.AGENT

    class Input(msgspec.Struct):
        inputs: dict[str, Any] = {}

    class Output(msgspec.Struct):
        pass


BLOCKS: dict[str, Block] = {
    kind.id: kind()
    for kind in (
        SourceBlock,
        EchoBlock,
        PairBlock,
        TrioBlock,
        NumberBlock,
        StaticBlock,
        GraphOutputBlock,
        NoteBlock,
        ReviewBlock,
        SensitiveBlock,
        AgentBlock,
    )
}

AGENT_SCHEMA = {
    "input_schema": {"type": "object", "properties": {"value": {}}, "required": []},
    "output_schema": {"type": "object", "properties": {"answer": {}, "other": {}}},
    "inputs": {},
}


def plan_of(
    nodes: dict[str, type[Block]],
    *links: str,
    metadata: dict[str, dict[str, Any]] | None = None,
    **defaults: dict[str, Any],
) -> Plan:
    """Links are written `source.pin > sink.pin`, static ones with `>>`; `defaults`: constants by node id."""
    options = metadata or {}
    graph = Graph(
        id="graph",
        nodes=[
            Node(
                id=name,
                block_id=kind.id,
                input_default=defaults.get(name, _constants(kind)),
                metadata=options.get(name, {}),
            )
            for name, kind in nodes.items()
        ],
        links=[_link(text) for text in links],
    )
    return Plan.compile(graph, BLOCKS.get)


def _constants(kind: type[Block]) -> dict[str, Any]:
    if kind is AgentBlock:
        return dict(AGENT_SCHEMA)
    return {"name": "result"} if kind is GraphOutputBlock else {}


def _link(text: str) -> Link:
    source, arrow, sink = text.split(" ")
    source_id, _, source_name = source.partition(".")
    sink_id, _, sink_name = sink.partition(".")
    return Link(
        source_id=source_id,
        source_name=source_name,
        sink_id=sink_id,
        sink_name=sink_name,
        is_static=arrow == ">>",
    )


class Run:
    """An execution with its history. Every method is one command; events come back as topics with payloads."""

    def __init__(
        self, plan: Plan, *, claimed: bool = True, limits: Limits | None = None, **create: Any
    ) -> None:
        self.plan = plan
        self.at = 1_000_000
        self.history: list[Draft] = []
        self.decider = Decider(plan, GraphExecution())
        self.inbox_version = 0
        masks: dict[str, dict[str, Any]] = create.get("masks", {})
        if "starting" not in create:
            ready = ((node_id, plan.accept(node_id, {}, masks.get(node_id))[0]) for node_id in plan.starting)
            create["starting"] = tuple((node_id, data) for node_id, data in ready if data is not None)
        fixed: dict[str, Any] = {"execution_id": "run", "user_id": "u", "inputs": {}}
        self.do(Create(**{**fixed, "limits": limits or Limits(), **create}))
        if claimed:
            self.claim()

    @property
    def state(self) -> GraphExecution:
        return self.decider.state

    def status(self) -> ExecutionStatus:
        return self.decider.state.status

    def payloads(self, name: str) -> list[Any]:
        """The recorded events of one topic."""
        return [draft.payload for draft in self.history if name == draft.payload.TOPIC]

    def do(self, command: Command) -> list[Any]:
        """Advances by one command; the payloads of its events."""
        self.at += 1
        drafts = self.decider.advance(command, self.at)
        self.history.extend(drafts)
        return [draft.payload for draft in drafts]

    def reopen(self) -> None:
        """Forgets everything but the history, as after a crash, and claims anew."""
        self.decider = Decider(self.plan, fold(self.history))
        self.claim()

    def claim(self, worker: str = "w") -> list[Any]:
        return self.do(Claim(worker))

    def start(self, *numbers: int, children: dict[int, str] | None = None) -> list[Any]:
        """Starts these, or all that are ready."""
        return self.do(Start(numbers or tuple(self.state.ready), children or {}))

    def yields(self, number: int, *outputs: tuple[str, Any]) -> list[Any]:
        return self.do(Report(number, self._attempt(number), outputs))

    def complete(self, number: int, *outputs: tuple[str, Any]) -> list[Any]:
        return self.do(Report(number, self._attempt(number), outputs, "completed"))

    def fail(self, number: int, error: str, *outputs: tuple[str, Any]) -> list[Any]:
        return self.do(Report(number, self._attempt(number), outputs, "failed", error))

    def stopped(self, *numbers: int, abandoned: Sequence[int] = ()) -> list[Any]:
        return self.do(BodiesStopped(numbers, tuple(abandoned)))

    def handle(self, message: Any, past: Past | None = None) -> str:
        """The next inbox message; its outcome."""
        self.inbox_version += 1
        events = self.do(Handle(self.inbox_version, b"%016d" % self.inbox_version, message, past or Past()))
        return next(event.outcome for event in events if isinstance(event, InboxHandled))

    def cancel(self, *, cascade: bool = True) -> str:
        return self.handle(CancelRequested("ada", "enough", cascade))

    def resume(self) -> str:
        return self.handle(ResumeRequested("ada"))

    def past(self) -> Past:
        """What a retry is decided by."""
        return Past(failed_of(fold(self.history, retain=True)))

    def retry(self, *, seen: int = 0) -> str:
        return self.handle(RetryRequested("ada", "once more", seen), self.past())

    def step(self, number: int, *outputs: tuple[str, Any]) -> list[Any]:
        """Starts and completes one node execution."""
        self.start(number)
        return self.complete(number, *outputs)

    def of(self, node_id: str) -> list[NodeExecution]:
        """The living executions of a node, oldest first."""
        return [node for node in self.state.node_executions.values() if node.node_id == node_id]

    def drive(self, bodies: dict[str, Body], *, most: int = 1_000_000) -> None:
        """Runs bodies, oldest first, until nothing is left to do. A `ValueError` of a body fails its node."""
        for _ in range(most):
            if not self.state.ready:
                return
            number = next(iter(self.state.ready))
            self.start(number)
            node = self.state.node_executions[number]
            try:
                outputs = tuple(bodies.get(node.node_id, _silent)(node.data))
            except ValueError as error:
                self.fail(number, str(error))
            else:
                self.complete(number, *outputs)
        raise AssertionError(f"still not done after {most} node executions")

    def topics(self) -> list[str]:
        return [draft.payload.TOPIC for draft in self.history]

    def _attempt(self, number: int) -> int:
        node = self.state.node_executions.get(number)
        return node.attempt if node else 0


def _silent(data: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return ()


def topics(events: Iterable[Any]) -> list[str]:
    return [event.TOPIC for event in events]
