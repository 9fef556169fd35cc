"""Accounts as the journal has them: read from their streams, topped up by appending to them."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID, uuid5

from actbook.actors import wall_clock
from actbook.engine._errors import TopUpError
from actbook.events import Account, Append, BalanceToppedUp, Draft, Envelope, balance_stream
from actbook.journal import DuplicateEventError, Journal

_KEYS = UUID("b7a4a3a5-5d0c-5f0e-8f5a-2f4f6d0b9c55")

PAGE = 10_000
SNAPSHOT_AFTER = 1000
"""Events read on top of a snapshot that make a new one worth while."""


class AccountStore:
    """One stream per user. Nothing is kept in memory here."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def read(self, user_id: str) -> Account:
        """The account as recorded; a new one when there is no such user."""
        return (await self.read_with_version(user_id))[0]

    async def read_with_version(self, user_id: str) -> tuple[Account, int]:
        """The same, and the version of its stream."""
        stream = balance_stream(user_id)
        snapshot = await self._journal.latest_snapshot(stream)
        account = Account(user_id) if snapshot is None else Account.decode(snapshot.state)
        begun = version = 0 if snapshot is None else snapshot.version
        while True:
            events = await self._journal.read_stream(stream, version, PAGE)
            for event in events:
                account.apply(event.payload, event.at)
                version = event.version
            if len(events) < PAGE:
                break
        if version - begun >= SNAPSHOT_AFTER:
            state = account.encode()
            await self._journal.put_snapshot(stream, version, state, sha256(state).digest())
        return account, version

    async def top_up(self, user_id: str, amount: float, key: str, reason: str, actor: str) -> BalanceToppedUp:
        """Adds credits, once per key. Raises `TopUpError` when the key was used for another amount."""
        event = BalanceToppedUp(key, float(amount), reason, actor)
        draft = Draft(event, wall_clock(), event_id=uuid5(_KEYS, f"{len(user_id)}\n{user_id}\n{key}").bytes)
        append = Append(balance_stream(user_id), None, [draft], user_id)
        try:
            answer = await self._journal.append(append)
        except DuplicateEventError as error:
            raise TopUpError(user_id, key, amount) from error
        if answer.duplicate:
            recorded = (await self.read(user_id)).top_ups.get(key)
            if recorded != amount:
                raise TopUpError(user_id, key, amount, recorded)
        return event

    async def events(self, user_id: str) -> list[Envelope]:
        """Everything recorded of the account, oldest first."""
        return await self._journal.read_stream(balance_stream(user_id))
