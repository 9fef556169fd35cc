"""Accounts of the users whose runs this engine charges, in memory. Implements the actors' `Cashier`."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable

from actbook.engine._account_store import AccountStore
from actbook.engine.billing import Billing, Shortage
from actbook.events import (
    Account,
    BalanceCharged,
    BalanceNotified,
    BalanceToppedUp,
    Create,
    Draft,
    Envelope,
    Event,
    GraphExecution,
    Meter,
    RunCounted,
)

logger = logging.getLogger("actbook.billing")

ACCOUNT_NEWS = frozenset(
    kind.TOPIC for kind in (BalanceToppedUp, BalanceCharged, BalanceNotified, RunCounted)
)
"""What other processes write to balance streams; charges are written by those that own executions."""


_News = tuple[Event, int, int | None]
"""An event, when it was recorded, and its version unless it is one that counts once anyway."""


class Accounts:
    """An account is read when its user's first run begins, and kept: from then on each decision changes it at once.

    The executions of one user share it, so none of them spends what another one has spent already. What other workers charge
    is known as soon as it is heard of.
    """

    def __init__(
        self, store: AccountStore, billing: Billing, background: Callable[[Awaitable[None]], object]
    ) -> None:
        self._store = store
        self._billing = billing
        self._background = background
        self._open: dict[str, Account] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._read_upto: dict[str, int] = {}
        self._news: dict[str, list[_News]] = {}

    async def open(self, user_id: str) -> None:
        """Reads the account unless it is in memory. Raises `JournalError`."""
        if user_id in self._open:
            return
        async with self._opening.setdefault(user_id, asyncio.Lock()):
            if user_id in self._open:
                return
            news = self._news[user_id] = []
            try:
                account, self._read_upto[user_id] = await self._store.read_with_version(user_id)
                self._open[user_id] = account
                for each in news:
                    self._apply(user_id, *each)
            finally:
                del self._news[user_id]
        self._opening.pop(user_id, None)

    def get(self, user_id: str) -> Account | None:
        """The account with everything that was decided, recorded or not; None when it is not in memory."""
        return self._open.get(user_id)

    def meter(self, run: Create | GraphExecution) -> Meter | None:
        """Simulated and dry runs are free."""
        if run.simulation is not None or run.settings.dry_run:
            return None
        return Meter(self._billing.tariff, self._open[run.user_id])

    def heard(self, news: Iterable[Envelope]) -> None:
        """Other processes topped accounts up, or charged them. What was there when the account was read is in it."""
        for event in news:
            if event.topic in ACCOUNT_NEWS:
                self._apply(event.user_id, event.payload, event.at, event.version)

    def topped_up(self, user_id: str, event: BalanceToppedUp) -> None:
        """It is durable. One that is known by its key changes nothing."""
        self._apply(user_id, event, 0, None)

    def _apply(self, user_id: str, event: Event, at: int, version: int | None) -> None:
        account = self._open.get(user_id)
        if account is None:
            self._news.get(user_id, []).append((event, at, version))
        elif version is None or version > self._read_upto[user_id]:
            account.apply(event, at)

    def recorded(self, account: Account, postings: list[Draft]) -> None:
        """Tells of shortages that are durable now."""
        if self._billing.notify is None:
            return
        for draft in postings:
            if isinstance(draft.payload, BalanceNotified):
                self._background(self._notify(account.user_id, draft.payload))

    def take_back(self, account: Account, postings: list[Draft]) -> None:
        """What was decided last is undone first."""
        for draft in reversed(postings):
            account.take_back(draft.payload)

    async def _notify(self, user_id: str, event: BalanceNotified) -> None:
        shortage = Shortage(
            user_id=user_id,
            graph_id=event.graph_id,
            graph_exec_id=event.execution_id,
            needed=event.needed,
            balance=event.balance,
        )
        if self._billing.notify is None:
            return
        try:
            told = self._billing.notify(shortage)
            if inspect.isawaitable(told):
                await told
        except Exception:
            logger.exception("Nobody was told that user %s lacks credits.", user_id)
