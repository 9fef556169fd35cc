"""A body that gets credentials: they are looked up right before its code starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any

import msgspec

from actbook.actors._bodies import Bodies, Body, BodySink, Outcome
from actbook.actors._bodies._outcome import fault_of
from actbook.actors._credentials_store import CredentialsStore, CredentialsStoreError, look_up
from actbook.actors._execution_log import ExecutionLog
from actbook.actors._messages import Work
from actbook.graphs import ActbookError, Credentials, CredentialsMetaInput
from actbook.graphs._stored_credentials import credentials_of_run

logger = logging.getLogger("actbook.credentials")

ATTEMPTS = 5
"""How often a failing store is asked before the node fails."""


class CredentialsError(ActbookError, ValueError):
    """What a node's pin names can't be used. `pin` is the pin, `reason` why."""

    def __init__(self, pin: str, reason: str) -> None:
        super().__init__(reason)
        self.pin = pin
        self.reason = reason


class CredentialedBody:
    """Stands for a body until its code starts, and passes `cancel` on from then.

    It occupies its place from the beginning. The time limit of the block begins with its code.
    """

    def __init__(self, bodies: Bodies, work: Work, sink: BodySink, ports: Context) -> None:
        """`ports`: the context the body starts in; it is copied."""
        self._bodies = bodies
        self._work = work
        self._sink = sink
        self._ports = ports
        self._body: Body | None = None
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._hold(-1)

    @property
    def done(self) -> bool:
        return self._over if self._body is None else self._body.done

    def begin(
        self,
        store: CredentialsStore,
        pause: float,
        start: Callable[[Work, BodySink], Body],
        background: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        """Looks the credentials up in the background, then starts the body. `pause`: seconds after the store failed."""
        self._task = background(self._run(store, pause, start))

    def cancel(self, grace: float) -> None:
        """Stop it: `finished` follows, never inside this call. While no code of the block runs, nothing is waited for."""
        if self._body is not None:
            self._body.cancel(grace)
        elif not self._over:
            self._leave()
            if self._task is not None:
                self._task.cancel()
            loop = self._bodies.loop
            loop.call_soon(self._sink.finished, [], Outcome("cancelled"), context=self._bodies.home.copy())

    async def _run(
        self, store: CredentialsStore, pause: float, start: Callable[[Work, BodySink], Body]
    ) -> None:
        try:
            found = await self._look_up(store, pause)
        except Exception as error:
            self._fail(error)
            return
        if self._over:
            return
        self._leave()
        inside = self._ports.copy()
        inside.run(credentials_of_run.set, found)
        try:
            self._body = inside.run(start, self._work, self._sink)
        except Exception as error:
            self._tell(error)

    async def _look_up(self, store: CredentialsStore, pause: float) -> Mapping[str, Credentials]:
        wanted = wanted_credentials(self._work)
        ids = [meta.id for meta in wanted.values()]
        left = ATTEMPTS
        while True:
            try:
                found = await look_up(store, self._work.context.user_id, ids)
                return {pin: _fitting(pin, meta, found[meta.id]) for pin, meta in wanted.items()}
            except CredentialsStoreError as error:
                block = self._work.block.name
                log = ExecutionLog.of(logger, "Credentials", self._work.context, block)
                log.error("%s %s needs it.", error, block)
                left -= 1
                if not left:
                    raise
            await asyncio.sleep(pause)

    def _fail(self, error: Exception) -> None:
        if not self._over:
            self._leave()
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        fault = fault_of(error)
        self._sink.finished([], Outcome("failed", fault.error, fault.error_type, fault.expected))

    def _leave(self) -> None:
        self._over = True
        self._hold(1)

    def _hold(self, places: int) -> None:
        self._bodies.slots[self._work.block.execution] += places


def wanted_credentials(work: Work) -> dict[str, CredentialsMetaInput]:
    """What the credentials pins of a node execution name. Raises `CredentialsError`."""
    wanted: dict[str, CredentialsMetaInput] = {}
    for pin in work.block.input_schema.credentials:
        value = work.data.get(pin)
        if value is None:
            continue
        try:
            wanted[pin] = msgspec.convert(value, CredentialsMetaInput, from_attributes=True)
        except msgspec.ValidationError as error:
            raise CredentialsError(pin, f"Invalid credentials: {error}") from None
    return wanted


def _fitting(pin: str, meta: CredentialsMetaInput, found: Credentials | None) -> Credentials:
    if found is None:
        raise CredentialsError(pin, f"Unknown credentials #{meta.id}")
    if (found.provider, found.type) != (meta.provider, meta.type):
        raise CredentialsError(pin, "Invalid credentials: type/provider mismatch")
    return found
