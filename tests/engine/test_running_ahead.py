"""How far a run of pure blocks gets ahead of a store that answers late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from tests.engine.kit import World, finish, play, pure

from actbook.actors._writing import BATCH, MAX_AHEAD
from actbook.events import Append, Appended, ExecutionStatus
from actbook.journal import Journal
from actbook.journal._writer import Done

STEPS = MAX_AHEAD
"""Each step is three events: a run that did not wait would be three times as far ahead."""
QUIET = 200
"""Turns of the loop."""


class LateAnswers:
    """The journal answers once nothing was submitted for a while."""

    def __init__(self) -> None:
        self.on_the_way = 0
        self.most = 0
        self._submit = Journal.submit
        self._answers: list[Callable[[], None]] = []
        self._submitted = 0

    def submit(self, journal: Journal, append: Append, done: Done) -> None:
        events = len(append.drafts)
        self.on_the_way += events
        self.most = max(self.most, self.on_the_way)
        self._submitted += 1

        def answer(result: Appended | Exception) -> None:
            self.on_the_way -= events
            done(result)

        def durable(result: Appended | Exception) -> None:
            self._answers.append(partial(answer, result))
            self._answer_when_quiet(self._submitted, QUIET)

        self._submit(journal, append, durable)

    def _answer_when_quiet(self, submitted: int, turns: int) -> None:
        if submitted != self._submitted:
            turns = QUIET
        if turns and self._answers:
            asyncio.get_running_loop().call_soon(self._answer_when_quiet, self._submitted, turns - 1)
            return
        answers, self._answers = self._answers, []
        for answer in answers:
            answer()


def count(input: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield ("out", input.value + 1) if input.value < STEPS else ("error", "over")


def test_pure_steps_wait_for_a_store_that_lags(monkeypatch: pytest.MonkeyPatch) -> None:
    late = LateAnswers()

    def submit(journal: Journal, append: Append, done: Done, *, lead: bool = False) -> None:
        late.submit(journal, append, done)

    async def test() -> None:
        world = World(Count=pure(count))
        loop = world.graph(
            "x:Input a:Count e:Output", "x.result > a.value", "a.out > a.value", "a.error > e.value"
        )
        async with world.open() as engine:
            monkeypatch.setattr(Journal, "submit", submit)
            done = await finish(engine, loop, inputs={"x": 1})
            assert (done.status, done.outputs) == (ExecutionStatus.COMPLETED, {"e": ["over"]})
            assert done.stats.node_exec_count == STEPS + 2

    play(test())
    assert MAX_AHEAD - BATCH <= late.most <= MAX_AHEAD + 2 * BATCH
