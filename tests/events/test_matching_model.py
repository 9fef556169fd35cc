"""Matching against the plainest description of it: lists, searched from the front."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.harness import Run, SourceBlock, TrioBlock, plan_of

from actbook.events import ExecutionStatus

S = ExecutionStatus
PINS = ("a", "b", "c")

Delivery = tuple[int, Any]


class Model:
    """One sink with three pins. `queued` is what runs, `waiting` what does not yet."""

    def __init__(self, static: frozenset[str]) -> None:
        self.static = static
        self.waiting: list[dict[str, Any]] = []
        self.queued: list[dict[str, Any]] = []
        self.latched: dict[str, Any] = {}

    def deliver(self, pin: str, value: Any) -> None:
        lacking = [inputs for inputs in self.waiting if pin not in inputs]
        if not lacking:
            lacking = [{}]
            self.waiting.append(lacking[0])
        filled = lacking if pin in self.static else lacking[:1]
        latched = dict(self.latched)
        for inputs in filled:
            inputs[pin] = value
            self._try(inputs, latched)
            if pin in self.static:
                latched[pin] = value
        if pin in self.static:
            self.latched[pin] = value

    def _try(self, inputs: dict[str, Any], latched: dict[str, Any]) -> None:
        data = {**latched, **inputs}
        if set(data) == set(PINS) and None not in data.values():
            self.waiting = [other for other in self.waiting if other is not inputs]
            self.queued.append(data)


deliveries = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 3, 4, 5, None])), max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.sets(st.sampled_from(PINS)), deliveries, st.booleans(), st.integers(0, 30))
def test_matching_agrees_with_the_model(
    static: set[str], todo: list[Delivery], at_once: bool, crash: int
) -> None:
    arrows = [">>" if pin in static else ">" for pin in PINS]
    plan = plan_of(
        {"x": SourceBlock, "y": SourceBlock, "z": SourceBlock, "sink": TrioBlock},
        *(f"{name}.out {arrow} sink.{pin}" for name, arrow, pin in zip("xyz", arrows, PINS, strict=True)),
    )
    model, run = Model(frozenset(static)), Run(plan)
    run.start()
    for position, (which, value) in enumerate(todo):
        model.deliver(PINS[which], value)
        if position == crash:
            run.reopen()
            run.start(1, 2, 3)
            for number in (1, 2, 3):
                node = run.state.node_executions[number]
                node.repeats = None  # what follows is new
        run.yields(which + 1, ("out", value))
    nodes = run.of("sink")
    started = [event.node_exec for event in run.payloads("node.queued")]
    queued = [run.state.node_executions[number].data for number in started if number > 3]
    assert queued == model.queued
    assert [node.inputs for node in nodes if node.status is S.INCOMPLETE] == model.waiting
