"""Whatever happens, in whatever order: the history is legal, and folding it gives the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.events.audit import Audit
from tests.events.harness import (
    AgentBlock,
    EchoBlock,
    GraphOutputBlock,
    NumberBlock,
    PairBlock,
    ReviewBlock,
    Run,
    SensitiveBlock,
    SourceBlock,
    StaticBlock,
    TrioBlock,
    plan_of,
)

from actbook.events import (
    BodiesStopped,
    CancelRequested,
    ChildFinished,
    ChildOutput,
    Claim,
    Command,
    Decider,
    Fail,
    GraphExecution,
    Handle,
    Limits,
    NodeExecution,
    Parent,
    Report,
    RequestReview,
    ResumeRequested,
    RetryRequested,
    ReviewDecided,
    Start,
    decide,
    fold,
)
from actbook.graphs import Block, Plan

IN_PINS: dict[type[Block], tuple[str, ...]] = {
    SourceBlock: (),
    EchoBlock: ("value",),
    PairBlock: ("a", "b"),
    TrioBlock: ("a", "b", "c"),
    NumberBlock: ("value",),
    StaticBlock: ("value",),
    GraphOutputBlock: ("value",),
    ReviewBlock: ("data",),
    SensitiveBlock: ("value",),
    AgentBlock: ("value",),
}
OUT_PINS: dict[type[Block], tuple[str, ...]] = {
    GraphOutputBlock: ("output",),
    ReviewBlock: ("approved_data", "rejected_data", "error"),
    AgentBlock: ("answer", "other"),
}

OPTIONS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"error_pin": True}, {"retry": {}, "error_pin": True}]
)

Act = tuple[str, int, int]

ACTS = (
    "start",
    "start all",
    "yield",
    "yield",
    "complete",
    "complete",
    "complete",
    "fail",
    "late",
    "review",
    "decide",
    "cancel",
    "resume",
    "retry",
    "stopped",
    "reopen",
    "claim",
    "give up",
    "child output",
    "child finished",
    "again",
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    kinds = draw(st.lists(st.sampled_from(list(IN_PINS)), min_size=1, max_size=4))
    nodes: dict[str, type[Block]] = {"s": SourceBlock}
    nodes.update({f"n{number}": kind for number, kind in enumerate(kinds)})
    ins = [f"{name}.{pin}" for name, kind in nodes.items() for pin in IN_PINS[kind]]
    outs = [
        f"{name}.{pin}"
        for name, kind in nodes.items()
        for pin in OUT_PINS.get(kind, ("out", "item", "error"))
    ]
    if not ins:
        return plan_of(nodes)
    link = st.tuples(st.sampled_from(outs), st.sampled_from([">", ">", ">>"]), st.sampled_from(ins))
    links = draw(st.lists(link, min_size=len(ins), max_size=2 * len(ins)))
    metadata = {name: draw(OPTIONS) for name in nodes}
    return plan_of(nodes, *(" ".join(link) for link in links), metadata=metadata)


acts = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 7), st.integers(0, 3)), min_size=10, max_size=60
)
VALUES = (0, None, "text", {"k": [1]})


class Chaos:
    """Turns acts into commands that fit, or almost fit, the state at hand."""

    def __init__(self, plan: Plan, **create: Any) -> None:
        self.run = Run(plan, claimed=False, **create)
        self.last: Handle | None = None
        self.children = 0

    def act(self, act: Act) -> None:
        name, which, what = act
        command = self._command(name, which, what)
        if name == "reopen":
            snapshot = self.run.state.encode()
            self.run.decider = Decider(self.run.plan, GraphExecution.decode(snapshot))
            command = Claim("next")
        if command is not None:
            self.perform(command)

    def perform(self, command: Command) -> None:
        """Decides purely first: the same events, and the state is not touched."""
        run = self.run
        before = run.state.encode()
        decided = decide(run.plan, run.state, command, run.at + 1)
        assert run.state.encode() == before
        events = run.do(command)
        assert [draft.payload for draft in decided] == events

    def _command(self, name: str, which: int, what: int) -> Command | None:
        maker: Callable[[int, int], Command | None] = getattr(self, "_" + name.replace(" ", "_"))
        return maker(which, what)

    def _pick(self, numbers: Any, which: int) -> int:
        numbers = list(numbers)
        return numbers[which % len(numbers)] if numbers else which

    def _running(self, which: int) -> NodeExecution | None:
        state = self.run.state
        bodies = [number for number in state.running if not state.node_executions[number].child_id]
        return state.node_executions.get(self._pick(bodies, which))

    def _pairs(self, node: NodeExecution, what: int) -> tuple[tuple[str, Any], ...]:
        pins = OUT_PINS.get(type(self.run.plan.nodes[node.node_id].block), ("out", "item"))
        return tuple((pins[k % len(pins)], VALUES[(what + k) % 4]) for k in range(what))

    def _start(self, which: int, what: int) -> Command:
        state = self.run.state
        number = self._pick([*state.ready, *state.interrupted, *state.retries], which)
        return Start((number,), self._child((number,)))

    def _start_all(self, which: int, what: int) -> Command:
        numbers = (*self.run.state.interrupted, *self.run.state.ready, *self.run.state.retries)
        return Start(numbers, self._child(numbers))

    def _child(self, numbers: tuple[int, ...]) -> dict[int, str]:
        nodes = self.run.state.node_executions
        agents = [n for n in numbers if n in nodes and nodes[n].block_id == AgentBlock.id]
        self.children += len(agents)
        return {number: f"child {self.children - k}" for k, number in enumerate(agents)}

    def _yield(self, which: int, what: int) -> Command | None:
        node = self._running(which)
        return Report(node.number, node.attempt, self._pairs(node, what)) if node else None

    def _complete(self, which: int, what: int) -> Command | None:
        node = self._running(which)
        return Report(node.number, node.attempt, self._pairs(node, what), "completed") if node else None

    def _fail(self, which: int, what: int) -> Command | None:
        node = self._running(which)
        return (
            Report(node.number, node.attempt, self._pairs(node, what), "failed", "broken") if node else None
        )

    def _late(self, which: int, what: int) -> Command:
        node = self.run.state.node_executions.get(which)
        return Report(which, node.attempt - 1 if node else 1, (("out", 0),), "completed")

    def _review(self, which: int, what: int) -> Command | None:
        node = self._running(which)
        return RequestReview(node.number, node.attempt, "look", VALUES[what], what > 0) if node else None

    def _decide(self, which: int, what: int) -> Command:
        number = self._pick(self.run.state.reviews, which)
        return self._message(
            ReviewDecided(number, what % 2 == 0, "bob", "so" * (what // 2), which > 3, "edited")
        )

    def _cancel(self, which: int, what: int) -> Command:
        return self._message(CancelRequested("ada", "", what > 0))

    def _resume(self, which: int, what: int) -> Command:
        return self._message(ResumeRequested("ada"))

    def _retry(self, which: int, what: int) -> Command:
        message = self._message(RetryRequested("ada"))
        return msgspec.structs.replace(message, past=self.run.past())

    def _stopped(self, which: int, what: int) -> Command:
        numbers = list(self.run.state.running)
        return BodiesStopped(tuple(numbers[what:]), tuple(numbers[: what - 1]))

    def _reopen(self, which: int, what: int) -> None:
        return None

    def _claim(self, which: int, what: int) -> Command:
        return Claim(f"worker {which}")

    def _give_up(self, which: int, what: int) -> Command | None:
        return Fail("out of time") if which == 0 else None

    def _child_output(self, which: int, what: int) -> Command:
        node = self._agent(which)
        return self._message(
            ChildOutput(node.child_id, node.number, ("answer", "other")[what % 2], VALUES[what])
        )

    def _child_finished(self, which: int, what: int) -> Command:
        node = self._agent(which)
        status = ("COMPLETED", "COMPLETED", "FAILED", "TERMINATED")[what]
        return self._message(ChildFinished(node.child_id, node.number, status, "why"))

    def _agent(self, which: int) -> NodeExecution:
        agents = [node for node in self.run.state.node_executions.values() if node.child_id]
        return (
            agents[which % len(agents)]
            if agents
            else next(iter([*self.run.state.node_executions.values(), NOBODY]))
        )

    def _message(self, message: Any) -> Handle:
        self.run.inbox_version += 1
        self.last = Handle(self.run.inbox_version, b"%016d" % self.run.inbox_version, message)
        return self.last

    def _again(self, which: int, what: int) -> Command | None:
        return self.last


NOBODY = fold([]).node_executions.get(0) or NodeExecution(0, "", "", fold([]).status)


def shaken(plan: Plan, todo: list[Act], **create: Any) -> Chaos:
    chaos = Chaos(plan, limits=Limits(node_executions=60, claims_without_progress=6), **create)
    chaos.perform(Claim("first"))
    for act in todo:
        chaos.act(act)
        state = chaos.run.state
        if state.status.is_terminal:
            assert (state.ready, state.running, state.reviews) == ({}, {}, {})
        assert state.retries.keys() <= state.running.keys()
    event(str(chaos.run.status()))
    return chaos


def alive(state: GraphExecution) -> Any:
    """The state without what only a retaining one keeps."""
    plain = msgspec.to_builtins(state, enc_hook=list)
    nodes = {}
    for number, node in plain["node_executions"].items():
        ended = state.node_executions[number].status.is_final
        nodes[number] = {**node, "outputs": [], "data": {} if ended else node["data"]}
    return {**plain, "node_executions": nodes, "retain": False}


SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(plans(), acts, st.booleans(), st.booleans())
def test_any_history_is_legal_and_folds_to_the_live_state(
    plan: Plan, todo: list[Act], nested: bool, skip: bool
) -> None:
    parent = Parent("parent", 1) if nested else None
    run = shaken(plan, todo, parent=parent, skip=("n0",) if skip else ()).run
    audit = Audit().read(run.history)
    state = run.state
    assert audit.status == state.status
    assert state.version == len(run.history)
    assert {n: str(node.status) for n, node in state.node_executions.items()} == {
        n: audit.nodes[n] for n in state.node_executions
    }
    assert fold(run.history).encode() == state.encode()


@SLOW
@given(plans(), acts, st.integers(0, 1000))
def test_folding_in_two_halves_with_a_snapshot_between_is_folding_in_one(
    plan: Plan, todo: list[Act], cut: int
) -> None:
    history = shaken(plan, todo).run.history
    cut %= len(history)
    first = fold(history[:cut])
    half = GraphExecution.decode(first.encode())
    assert half.encode() == first.encode()
    assert fold(history[cut:], half).encode() == fold(history).encode()


@SLOW
@given(plans(), acts)
def test_a_retaining_fold_agrees_on_everything_alive(plan: Plan, todo: list[Act]) -> None:
    run = shaken(plan, todo).run
    kept, live = fold(run.history, retain=True), alive(run.state)
    full = alive(kept)
    assert len(full["node_executions"]) == live["last_number"]
    full["node_executions"] = {n: full["node_executions"][n] for n in live["node_executions"]}
    assert full == live


@SLOW
@given(plans(), acts)
def test_a_parent_hears_each_output_and_each_end_once(plan: Plan, todo: list[Act]) -> None:
    chaos = shaken(plan, [act for act in todo if act[0] != "reopen"], parent=Parent("parent", 1))
    told = [draft.payload for draft in chaos.run.decider.upward]
    outputs = [message.value for message in told if isinstance(message, ChildOutput)]
    assert outputs == [value for values in chaos.run.state.outputs.values() for value in values]
    ends = [topic for topic in chaos.run.topics() if topic in ("execution.completed", "execution.failed")]
    ends += [topic for topic in chaos.run.topics() if topic == "execution.terminated"]
    assert len(ends) == len([message for message in told if isinstance(message, ChildFinished)])
