"""Message properties that the client library can't read, a time beyond all calendars say, and would end the connection for.

The broker passes such a message on as it is, and again after each reconnect: one would keep all others from coming in. On
our connections it arrives with a header that tells what is wrong instead, and goes to the dead-letter queue.
"""

from __future__ import annotations

import struct
from contextvars import ContextVar

from pamqp import commands, header

UNREADABLE = "x-actbook-unreadable"

_ours: ContextVar[bool] = ContextVar("actbook_broker_connection", default=False)
_unmarshal = header.ContentHeader.unmarshal


def _forgiving(self: header.ContentHeader, data: bytes) -> None:
    try:
        _unmarshal(self, data)
    except (struct.error, ValueError, OverflowError, OSError, KeyError, IndexError) as error:
        if not _ours.get() or len(data) < _FIXED:
            raise
        self.body_size = int.from_bytes(data[4:12], "big")
        self.properties = commands.Basic.Properties(headers={UNREADABLE: str(error)[:300]})


_FIXED = 12
"""Bytes before the properties: class, weight, size of the body."""


def forgive_headers() -> None:
    """For the connections that are made in this context from now on; those of others stay as they are."""
    _ours.set(True)
    if header.ContentHeader.unmarshal is _unmarshal:
        header.ContentHeader.unmarshal = _forgiving  # type: ignore[method-assign]
