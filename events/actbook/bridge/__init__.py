"""Bridges to message brokers and buses. Nothing connects before it is told to, and no client library is imported earlier."""

from actbook.bridge._inbound import Cancellation, Message, RefusalReason, Submission, Submit
from actbook.bridge._rabbit_errors import MessageRefusedError, NotNowError, TopologyError, UnroutableError
from actbook.bridge._rabbit_queues import (
    DEAD_LETTER_REASON,
    BrokerConfig,
    Exchange,
    Queue,
    create_execution_queue_config,
)
from actbook.bridge._relay import Relay, RelayStatus
from actbook.bridge._relay_again import publish_again
from actbook.bridge._relay_ledger import Ledger, RelayFencedError, SetAside, Track
from actbook.bridge._relay_publisher import (
    BusError,
    BusUnavailableError,
    BusUrlError,
    Publisher,
    Recollecting,
    RefusedError,
)

__all__ = [
    "BusError",
    "BusUnavailableError",
    "BusUrlError",
    "Ledger",
    "Publisher",
    "Recollecting",
    "RefusedError",
    "Relay",
    "RelayFencedError",
    "RelayStatus",
    "SetAside",
    "Track",
    "publish_again",
    "DEAD_LETTER_REASON",
    "BrokerConfig",
    "Exchange",
    "Queue",
    "create_execution_queue_config",
    "Cancellation",
    "Message",
    "MessageRefusedError",
    "NotNowError",
    "RefusalReason",
    "Submission",
    "Submit",
    "TopologyError",
    "UnroutableError",
]
