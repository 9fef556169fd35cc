"""The bodies of one graph execution: those that wait until their start is durable, and those that run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from actbook.actors import _messages as msg
from actbook.actors._attempt import Attempt
from actbook.actors._messages import Work
from actbook.actors._permits import Holder
from actbook.actors._ready import UNPLACED
from actbook.actors._runtime import ActorRef
from actbook.actors._slots import Slots


class Hand(NamedTuple):
    """A node execution with its kind of body."""

    kind: str
    work: Work


class _Running(NamedTuple):
    attempt: Attempt
    ref: ActorRef[Any] | None
    kind: str
    ahead: bool


class Crew:
    """Keeps the account of places that were taken: each body begins or its place is given back.

    A body begins here and now while the dispatcher `has_time`, otherwise in a turn of its actor's own; `spawn` makes that
    actor. What ends at once has none.
    """

    def __init__(
        self,
        slots: Slots,
        attempt: Callable[[Work], Attempt],
        spawn: Callable[[Attempt], ActorRef[Any]],
        has_time: Callable[[], bool],
    ) -> None:
        self._slots = slots
        self._attempt = attempt
        self._spawn = spawn
        self._has_time = has_time
        self._starts: deque[tuple[int, list[Hand]]] = deque()
        self._held: list[Hand] = []
        self._running: dict[int, _Running] = {}
        self.ahead = 0
        self.permits: Holder | None = None

    def __bool__(self) -> bool:
        return bool(self._running or self._starts)

    @property
    def idle(self) -> bool:
        """No body runs (some may wait for their start to be durable)."""
        return not self._running

    @property
    def size(self) -> int:
        """Bodies that run or are about to."""
        waiting = (hand for _, hands in self._starts for hand in hands)
        about_to = sum(hand.kind != UNPLACED for hand in (*waiting, *self._held))
        return len(self._running) + about_to

    def hold(self, hand: Hand) -> None:
        """It starts when its start is durable; `wait_for` says which version that is."""
        self._held.append(hand)

    def wait_for(self, version: int) -> None:
        """What is held starts when the stream is durable up to `version`."""
        if self._held:
            self._starts.append((version, self._held))
            self._held = []

    def give_back(self, kinds: Iterable[str]) -> None:
        """Places that were taken and not needed."""
        for kind in kinds:
            if kind != UNPLACED:
                self._slots.give(kind)

    def durable(self, version: int) -> list[int]:
        """Starts what waited for this version; the numbers of AGENT nodes, whose sub-graphs the caller launches."""
        children: list[int] = []
        while self._starts and self._starts[0][0] <= version:
            for hand in self._starts.popleft()[1]:
                if hand.kind == UNPLACED:
                    children.append(hand.work.number)
                else:
                    self.run(hand)
        return children

    def run(self, hand: Hand, *, ahead: bool = False) -> None:
        """Starts a body now. `ahead`: it is short and pure, and its report comes before anything else matters."""
        attempt = self._attempt(hand.work)
        if attempt.is_on_loop and self._has_time():
            attempt.begin()
        ref = None if attempt.ended else self._spawn(attempt)
        self._running[hand.work.number] = _Running(attempt, ref, hand.kind, ahead)
        self.ahead += ahead

    def ended(self, number: int) -> None:
        """A body reported its end."""
        running = self._running.pop(number, None)
        if running is not None:
            self.ahead -= running.ahead
            self._slots.done()
            if self.permits is not None:
                self.permits.give_back(number)

    def number_of(self, ref: ActorRef[Any]) -> int:
        """The node execution that an actor runs, or 0."""
        for number, running in self._running.items():
            if running.ref == ref:
                return number
        return 0

    def cancel(self, grace: float, running: Iterable[int]) -> tuple[int, ...]:
        """Tells every body to stop; those of `running` that stopped at once, have none, or whose start was not durable."""
        self._drop_starts()
        message = msg.Cancel(grace)
        for number, body in list(self._running.items()):
            if body.attempt.ended:
                continue  # its report is on the way
            if body.ref is not None and not (body.attempt.is_on_loop and self._has_time()):
                body.ref.tell_system(message)
            elif body.attempt.cancel_here(grace):
                self.ended(number)
        return tuple(number for number in running if number not in self._running)

    def disband(self) -> None:
        """The actor ends, and its bodies with it: nobody listens to them any more."""
        self._drop_starts()
        self._slots.done(len(self._running))
        self._running.clear()
        self.ahead = 0
        if self.permits is not None:
            self.permits.leave()

    def _drop_starts(self) -> None:
        dropped = [hand for _version, hands in self._starts for hand in hands] + self._held
        self.give_back(hand.kind for hand in dropped)
        if self.permits is not None:
            self.permits.withdraw()
            for hand in dropped:
                self.permits.give_back(hand.work.number)
        self._starts.clear()
        self._held.clear()
