"""How a message looks in the dead-letter queue: as it came, with headers that tell what happened."""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

from aiormq.abc import DeliveredMessage

from actbook.bridge._rabbit_errors import MessageRefusedError
from actbook.bridge._rabbit_headers import UNREADABLE
from actbook.bridge._rabbit_queues import CANCEL_EXCHANGE, DEAD_LETTER_REASON, RUN_EXCHANGE

DETAIL = "x-actbook-detail"
ID = "x-actbook-id"
AT = "x-actbook-at"
WORKER = "x-actbook-worker"
EXCHANGE = "x-actbook-exchange"
ROUTING_KEY = "x-actbook-routing-key"
RETRIES = "x-actbook-retries"

_OURS = (DEAD_LETTER_REASON, DETAIL, ID, AT, WORKER, EXCHANGE, ROUTING_KEY, UNREADABLE)
_BROKERS = ("x-death", "x-first-death-reason", "x-first-death-queue", "x-first-death-exchange", "x-delivery-count",
            "x-acquired-count", "x-last-death-reason", "x-last-death-queue", "x-last-death-exchange")  # fmt: skip


class DeadLetter(NamedTuple):
    """A message in the dead-letter queue.

    `reason` is a `RefusalReason`, or what the broker gives as its own, such as `delivery_limit`. `at`: microseconds since the
    Unix epoch, UTC, 0 = unknown. `retries`: how often it was sent back from there before.
    """

    id: str
    reason: str
    detail: str
    message_id: str
    exchange: str
    routing_key: str
    content_type: str
    at: int
    worker: str
    retries: int
    headers: Mapping[str, Any]
    body: bytes


def refused_headers(message: DeliveredMessage, refusal: MessageRefusedError, worker: str) -> dict[str, Any]:
    """What is added to the headers of a message that goes to the dead-letter queue."""
    kept = {name: value for name, value in headers_of(message).items() if name not in (*_OURS, *_BROKERS)}
    return kept | {
        DEAD_LETTER_REASON: refusal.reason,
        DETAIL: refusal.detail,
        ID: uuid4().hex,
        AT: time.time_ns() // 1000,
        WORKER: worker,
        EXCHANGE: message.exchange or "",
        ROUTING_KEY: message.routing_key or "",
    }


def retried_headers(letter: DeadLetter) -> dict[str, Any]:
    """The headers it came with, and how often it comes now."""
    kept = {name: value for name, value in letter.headers.items() if name not in (*_OURS, *_BROKERS)}
    return kept | {RETRIES: letter.retries + 1}


def read_letter(message: DeliveredMessage) -> DeadLetter:
    """Whoever put it there: a worker, or the broker itself, which says why in headers of its own."""
    headers = headers_of(message)
    properties = message.header.properties
    death = headers.get("x-death")
    first = death[0] if isinstance(death, list) and death and isinstance(death[0], dict) else {}
    keys = first.get("routing-keys")
    key = keys[0] if isinstance(keys, list) and keys else ""
    exchange = str(headers.get(EXCHANGE, first.get("exchange", "")))
    return DeadLetter(
        id=str(headers.get(ID) or _derived_id(message)),
        reason=str(headers.get(DEAD_LETTER_REASON) or headers.get("x-first-death-reason") or "unknown"),
        detail=str(headers.get(DETAIL) or _told_by_broker(first)),
        message_id=str(properties.message_id or ""),
        exchange=exchange or RUN_EXCHANGE.name,
        routing_key=str(headers.get(ROUTING_KEY, key))
        or ("" if exchange == CANCEL_EXCHANGE.name else _RUN_KEY),
        content_type=str(properties.content_type or ""),
        at=_number(headers.get(AT)),
        worker=str(headers.get(WORKER, "")),
        retries=_number(headers.get(RETRIES)),
        headers=headers,
        body=message.body,
    )


_RUN_KEY = "graph_execution.run"


def headers_of(message: DeliveredMessage) -> dict[str, Any]:
    """Those of a message, none being the same as no table."""
    return dict(message.header.properties.headers or {})


def _told_by_broker(death: Mapping[str, Any]) -> str:
    if not death:
        return ""
    return f"The broker moved it here from queue {death.get('queue')}: {death.get('reason')}."


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _derived_id(message: DeliveredMessage) -> str:
    known = f"{message.header.properties.message_id}\n{headers_of(message).get('x-death')}\n".encode()
    return sha256(known + message.body).hexdigest()[:32]
