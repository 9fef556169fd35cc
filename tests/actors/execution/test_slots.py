"""Places for bodies: none forgotten, nobody overtaken, live numbers respected."""

from __future__ import annotations

import asyncio
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from actbook.actors._slots import Slots


class Owner:
    """Wants a number of places, one at a time each, like a graph execution."""

    def __init__(self, name: str, slots: Slots, places: dict[str, int], wants: int, log: list[str]) -> None:
        self.name, self.slots, self.places, self.wants, self.log = name, slots, places, wants, log
        self.inside = 0
        self.woken = 0

    def turn(self) -> None:
        """Takes what it may, answers, and waits if that was not enough."""
        for _ in range(min(self.wants, self.slots.free("async", self))):
            self.slots.take("async")
            self.slots.begun("async")
            self.places["async"] -= 1
            self.wants -= 1
            self.inside += 1
            self.log.append(self.name)
        self.woken = 0
        self.slots.answered(self)
        if self.wants:
            self.slots.wait(self, ["async"], self.wake)

    def wake(self) -> None:
        self.woken += 1

    def end_one(self) -> None:
        self.inside -= 1
        self.places["async"] += 1
        self.slots.done()
        self.slots.offer("async")


def test_a_place_is_kept_for_who_waited_longest() -> None:
    places = {"async": 1}
    slots = Slots(places)
    log: list[str] = []
    first, second, third = (Owner(name, slots, places, 2, log) for name in ("a", "b", "c"))
    for each in (first, second, third):
        each.turn()
    assert log == ["a"]
    first.end_one()
    assert (first.woken, second.woken, third.woken) == (1, 0, 0)
    first.turn()
    first.end_one()
    assert (second.woken, third.woken) == (1, 0)
    first.wants = 1
    first.turn()
    assert log == ["a", "a"], "it overtook one that waited"
    second.turn()
    assert log == ["a", "a", "b"]


def test_who_leaves_passes_on_what_was_kept() -> None:
    places = {"async": 1}
    slots = Slots(places)
    log: list[str] = []
    first, second, third = (Owner(name, slots, places, 1, log) for name in ("a", "b", "c"))
    for each in (first, second, third):
        each.turn()
    first.end_one()
    assert second.woken == 1
    slots.leave(second)
    assert third.woken == 1
    third.turn()
    assert log == ["a", "c"]


def test_places_that_are_out_of_use_are_not_given_out() -> None:
    places = {"async": 2}
    slots = Slots(places)
    log: list[str] = []
    owner = Owner("a", slots, places, 3, log)
    places["async"] -= 1
    owner.turn()
    assert log == ["a"]
    places["async"] += 1
    slots.offer("async")
    owner.turn()
    assert log == ["a", "a"]


def test_a_place_that_was_taken_and_not_used_comes_back() -> None:
    places = {"async": 1}
    slots = Slots(places)
    slots.take("async")
    assert slots.free("async") == 0
    slots.give("async")
    assert slots.free("async") == 1


def test_draining_gives_out_nothing_and_waits_for_what_runs() -> None:
    async def test() -> None:
        places = {"async": 2}
        slots = Slots(places)
        owner = Owner("a", slots, places, 1, [])
        owner.turn()
        assert not await slots.drain(0.01)
        assert slots.free("async") == 0
        draining = asyncio.ensure_future(slots.drain(10.0))
        await asyncio.sleep(0)
        owner.end_one()
        assert await draining

    asyncio.run(test())


@given(
    capacity=st.integers(1, 3),
    wants=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    choices=st.lists(st.integers(0, 1000), max_size=200),
)
def test_everybody_is_served_whatever_the_order(capacity: int, wants: list[int], choices: list[int]) -> None:
    places = {"async": capacity}
    slots = Slots(places)
    log: list[str] = []
    owners = [Owner(str(number), slots, places, count, log) for number, count in enumerate(wants)]
    gone: set[int] = set()
    for owner in owners:
        owner.turn()
    steps = deque(choices)
    while any(owner.inside or owner.woken for owner in owners):
        acting = [(kind, o) for o in owners for kind in ("turn", "end", "leave") if _can(kind, o)]
        kind, owner = acting[(steps.popleft() if steps else 0) % len(acting)]
        if kind == "turn":
            owner.turn()
        elif kind == "end":
            owner.end_one()
        else:
            owner.woken = 0
            gone.add(int(owner.name))
            owner.wants = 0
            slots.leave(owner)
        assert sum(each.inside for each in owners) <= capacity
    for number, owner in enumerate(owners):
        assert owner.wants == 0
        if number not in gone:
            assert log.count(owner.name) == wants[number]
    assert slots.free("async") == capacity


def _can(kind: str, owner: Owner) -> bool:
    if kind == "turn":
        return bool(owner.woken)
    return owner.inside > 0 if kind == "end" else bool(owner.woken and owner.name == "0")
