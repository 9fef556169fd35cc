"""Limits of blocks: who may start now, and who waits for the others. One account per engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import count
from typing import Any

import msgspec

from actbook.actors._alarms import Alarms, CallLater
from actbook.actors._line import Line
from actbook.actors._token_bucket import TokenBucket
from actbook.graphs import Block, BlockLimit

_numbers = count()


def monotonic() -> int:
    """Microseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1000


class Limit:
    """A `BlockLimit` as one block runs under it. Its counters are told apart by the values of its key."""

    __slots__ = ("_is_credential", "_number", "_pin", "concurrent", "rate")

    def __init__(self, given: BlockLimit, block: Block) -> None:
        self.concurrent = given.concurrent
        self.rate = given.per_seconds
        self._number = next(_numbers)
        self._pin = given.key
        self._is_credential = given.key in block.input_schema.credentials

    @property
    def is_keyed(self) -> bool:
        return self._pin is not None

    def key_of(self, data: dict[str, Any]) -> Hashable:
        """Which counter an execution with this input belongs to."""
        if self._pin is None:
            return self._number
        value = data.get(self._pin)
        if self._is_credential and isinstance(value, dict):
            value = value.get("id")
        return self._number, msgspec.json.encode(value, order="sorted")


class Counter:
    """What one limit allows for one key: `held` by executions that run or are about to, `reserved` by the latter."""

    __slots__ = ("_bucket", "_concurrent", "held", "key", "line", "reserved")

    def __init__(self, key: Hashable, limit: Limit, now: int) -> None:
        self.key = key
        self.line: Line[Request, None] = Line()
        self.held = 0
        self.reserved = 0
        self._concurrent = limit.concurrent
        self._bucket = TokenBucket(*limit.rate, now) if limit.rate else None

    def is_free(self, now: int) -> bool:
        """Whether the next one may pass."""
        return self._has_room and (self._bucket is None or self._bucket.level(now) - self.reserved >= 1.0)

    @property
    def _has_room(self) -> bool:
        return self._concurrent is None or self.held < self._concurrent

    def due(self, now: int) -> int | None:
        """When there is something to do that only time brings: a token for the next one, or the end of use. None = never."""
        bucket = self._bucket
        if not self.line:
            return None if self.held else max(now, bucket.full_at if bucket else now)
        if bucket is None or not self._has_room or self.reserved >= bucket.count:
            return None
        return max(now + 1, bucket.when(self.reserved + 1))

    def begin(self, now: int) -> None:
        """One of those that are about to run does."""
        self.reserved -= 1
        if self._bucket is not None:
            self._bucket.take(now)


class Request:
    """A node execution that asks to start: it goes from counter to counter and holds those that it `passed`."""

    __slots__ = ("begun", "holder", "number", "passed", "waits", "wanted")

    def __init__(self, holder: Holder, number: int, wanted: Sequence[tuple[Limit, Hashable]]) -> None:
        self.holder = holder
        self.number = number
        self.wanted = wanted
        self.passed: list[Counter] = []
        self.begun = False
        self.waits = False

    @property
    def is_granted(self) -> bool:
        return len(self.passed) == len(self.wanted)


class Permits:
    """Grants node executions of limited blocks their starts: higher priority first, then in the order of asking.

    Nothing polls: what ends lets the next one pass, and one timer waits for the earliest token that somebody needs.
    Counters live in this process, and only as long as they matter. Used from the engine's loop.
    """

    def __init__(
        self,
        limits: Iterable[BlockLimit] = (),
        *,
        call_later: CallLater,
        clock: Callable[[], int] = monotonic,
    ) -> None:
        self.clock = clock
        self._given = tuple(limits)
        self._alarms = Alarms(clock=clock, call_later=call_later)
        self._limits: dict[tuple[type[Block], str], tuple[Limit, ...]] = {}
        self._counters: dict[Hashable, Counter] = {}

    def limits_of(self, block: Block) -> tuple[Limit, ...]:
        """The limits a block runs under: those with a key first, since they hold back the fewest others."""
        kind = type(block), block.id
        known = self._limits.get(kind)
        if known is None:
            given = [each for each in self._given if each.block in (block.id, block.name)]
            if block.limit is not None:
                given.append(block.limit)
            made = sorted((Limit(each, block) for each in given), key=lambda limit: not limit.is_keyed)
            known = self._limits[kind] = tuple(made)
        return known

    def close(self) -> None:
        """No token is waited for any more."""
        self._alarms.close()

    def go_on(self, request: Request, now: int) -> bool:
        """Through as many counters as are free; it waits at the next one. Whether it may start."""
        while not request.is_granted:
            counter = self._next_counter(request, now)
            if counter.line or not counter.is_free(now):
                counter.line.add(request, None, request.holder.priority)
                self.serve(counter, now)
                break
            _pass(request, counter)
        return request.is_granted

    def serve(self, counter: Counter, now: int) -> None:
        """Lets pass whoever may, then waits for the next token, or forgets a counter that says nothing any more."""
        while counter.line and counter.is_free(now):
            request, _ = counter.line.pop()
            _pass(request, counter)
            if self.go_on(request, now) and request.waits:
                request.waits = False
                request.holder.granted(request.number)
        due = counter.due(now)
        if due is not None and due > now:
            self._alarms.set(counter.key, due, lambda: self.serve(counter, self.clock()))
            return
        if due is not None:
            self._counters.pop(counter.key, None)
        if self._alarms:
            self._alarms.cancel(counter.key)

    def release(self, request: Request) -> None:
        """It ended, or will not start."""
        now = self.clock()
        if not request.is_granted:
            counter = self._next_counter(request, now)
            counter.line.discard(request)
            self.serve(counter, now)
        for counter in request.passed:
            counter.held -= 1
            if not request.begun:
                counter.reserved -= 1
            self.serve(counter, now)

    def _next_counter(self, request: Request, now: int) -> Counter:
        limit, key = request.wanted[len(request.passed)]
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = Counter(key, limit, now)
        return counter


def _pass(request: Request, counter: Counter) -> None:
    counter.held += 1
    counter.reserved += 1
    request.passed.append(counter)


class Holder:
    """The permits of one graph execution. `granted` is called with the number of a node execution that had to wait."""

    __slots__ = ("_permits", "_requests", "granted", "priority")

    def __init__(self, permits: Permits, granted: Callable[[int], object], priority: int = 0) -> None:
        self.granted = granted
        self.priority = priority
        self._permits = permits
        self._requests: dict[int, Request] = {}

    def ask(self, number: int, limits: Sequence[Limit], data: dict[str, Any]) -> bool:
        """Whether it may start at once; otherwise `granted` tells when. One that asked before is not counted twice."""
        request = self._requests.get(number)
        if request is None:
            wanted = [(limit, limit.key_of(data)) for limit in limits]
            request = self._requests[number] = Request(self, number, wanted)
            request.waits = not self._permits.go_on(request, self._permits.clock())
        return not request.waits

    def begun(self, number: int) -> None:
        """It starts now: its tokens are gone."""
        request = self._requests.get(number)
        if request is None or request.begun:
            return
        request.begun = True
        now = self._permits.clock()
        for counter in request.passed:
            counter.begin(now)
            if counter.line:
                self._permits.serve(counter, now)

    def give_back(self, number: int) -> None:
        """It ended."""
        request = self._requests.pop(number, None)
        if request is not None:
            self._permits.release(request)

    def withdraw(self, numbers: Iterable[int] | None = None) -> None:
        """Of these, or of all, those that have not begun will not."""
        requests = self._requests
        chosen = (requests.get(number) for number in (requests if numbers is None else numbers))
        self._drop([request for request in chosen if request is not None and not request.begun])

    def leave(self) -> None:
        """Nothing of this execution starts or runs here any more."""
        self._drop(self._requests.values())

    def _drop(self, requests: Iterable[Request]) -> None:
        """Those that wait go first, or they would be granted what the others give back."""
        for request in sorted(requests, key=lambda each: not each.waits):
            self.give_back(request.number)

    @property
    def waits(self) -> bool:
        """Whether somebody has to wait."""
        return any(request.waits for request in self._requests.values())
