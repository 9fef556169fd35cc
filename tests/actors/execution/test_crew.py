"""The bodies of one execution: where they begin, and which of them a stop finds."""

from __future__ import annotations

from typing import Any, cast

import pytest

from actbook.actors._attempt import Attempt
from actbook.actors._crew import Crew, Hand
from actbook.actors._messages import Cancel, Work
from actbook.actors._runtime import ActorRef
from actbook.actors._slots import Slots
from actbook.graphs import Block, ExecutionContext


class Body:
    """Ends when it begins, or when it is told to stop, or not so soon."""

    def __init__(self, how: str, *, is_on_loop: bool = True) -> None:
        self.how = how
        self.is_on_loop = is_on_loop
        self.begun = False
        self.ended = False
        self.messages: list[Any] = []

    def begin(self) -> None:
        self.begun = True
        self.ended = self.how == "ends"

    def cancel_here(self, grace: float) -> bool:
        self.ended = self.how == "stops"
        return self.ended

    def tell_system(self, message: Any) -> None:
        self.messages.append(message)


class Scene:
    """A crew whose attempts are given in advance, by number."""

    def __init__(self, *bodies: Body) -> None:
        self.bodies = bodies
        self.has_time = True
        self.spawned: list[Body] = []
        self.slots = Slots({"async": 10})
        self.crew = Crew(self.slots, self._attempt, self._spawn, lambda: self.has_time)
        for number in range(len(bodies)):
            self.slots.take("async")
            work = Work(number, 1, number, cast("Block", None), {}, ExecutionContext(), None)
            self.crew.run(Hand("async", work))

    def _attempt(self, work: Work) -> Attempt:
        return cast("Attempt", self.bodies[work.number])

    def _spawn(self, attempt: Attempt) -> ActorRef[Any]:
        body = cast("Body", attempt)
        self.spawned.append(body)
        return cast("ActorRef[Any]", body)

    def cancel(self) -> tuple[int, ...]:
        return self.crew.cancel(1.0, range(len(self.bodies)))


def test_only_what_goes_on_gets_an_actor() -> None:
    ends, waits = Body("ends"), Body("waits")
    scene = Scene(ends, waits)
    assert scene.spawned == [waits]
    assert not scene.crew.idle


def test_what_stops_at_once_needs_no_message_and_gives_its_place_back() -> None:
    stops, waits = Body("stops"), Body("waits")
    scene = Scene(stops, waits)
    assert scene.cancel() == (0,)
    assert stops.messages == waits.messages == []
    scene.crew.ended(1)
    assert scene.crew.idle


@pytest.mark.parametrize("how", ["ends", "waits"])
def test_what_ended_before_and_is_not_yet_reported_did_not_stop(how: str) -> None:
    body = Body(how)
    scene = Scene(body)
    body.ended = True
    assert scene.cancel() == ()
    assert not scene.crew.idle


def test_without_time_a_body_begins_and_is_stopped_in_turns_of_its_own() -> None:
    scene = Scene()
    scene.has_time = False
    late = Scene(Body("stops", is_on_loop=False))
    assert not late.bodies[0].begun
    assert late.cancel() == ()
    assert late.bodies[0].messages == [Cancel(1.0)]
    slow = Scene(Body("stops"))
    slow.has_time = False
    assert slow.cancel() == ()
    assert slow.bodies[0].messages == [Cancel(1.0)]
