"""How charges get into the balance stream of their user, and out of the account again when they can't be recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from actbook.events import (
    Account,
    Append,
    Appended,
    Create,
    Draft,
    GraphExecution,
    Meter,
    balance_stream,
)

Recorded = Callable[[Appended | Exception], None]


class Cashier(Protocol):
    """Keeps the accounts of an engine that charges. Everything here is used on the engine's loop."""

    async def open(self, user_id: str) -> None:
        """Makes sure that the user's account is in memory. Raises `JournalError`."""
        ...

    def meter(self, run: Create | GraphExecution) -> Meter | None:
        """What charges this run to its user's account, which is open; None when the run is free."""
        ...

    def recorded(self, account: Account, postings: list[Draft]) -> None:
        """These are durable."""
        ...

    def take_back(self, account: Account, postings: list[Draft]) -> None:
        """These will never be recorded: the account is as if they had not been decided."""
        ...


class Booking:
    """What one execution's meter posted since its last write."""

    def __init__(self, cashier: Cashier, meter: Meter) -> None:
        self._cashier = cashier
        self._meter = meter

    def __bool__(self) -> bool:
        return bool(self._meter.postings)

    def append(self, state: GraphExecution) -> Append:
        """The postings as a companion of the execution's own write."""
        stream = balance_stream(state.user_id)
        return Append(stream, None, self._meter.postings, state.user_id, state.correlation_id)

    def settled(self, then: Recorded) -> Recorded:
        """For the outcome of the write that has `append` in it: the account hears of it first."""
        cashier, account, postings = self._cashier, self._meter.account, self._meter.postings

        def done(result: Appended | Exception) -> None:
            if isinstance(result, Exception):
                cashier.take_back(account, postings)
            else:
                cashier.recorded(account, postings)
            then(result)

        return done

    def submitted(self) -> None:
        """The write is on its way; the next one has postings of its own."""
        self._meter.postings = []

    def drop(self) -> None:
        """Nothing more will be written."""
        postings, self._meter.postings = self._meter.postings, []
        if postings:
            self._cashier.take_back(self._meter.account, postings)
