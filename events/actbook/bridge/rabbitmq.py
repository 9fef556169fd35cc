"""RabbitMQ: the queues that workers share, what comes in through them, and what goes out to them."""

from actbook.bridge._inbound import (
    SIZE_LIMIT,
    Cancel,
    Cancellation,
    Message,
    RefusalReason,
    Submission,
    Submit,
    read_cancellation,
    read_submission,
)
from actbook.bridge._rabbit_dead import DeadLetter, DeadLetters, is_named
from actbook.bridge._rabbit_errors import MessageRefusedError, NotNowError, TopologyError, UnroutableError
from actbook.bridge._rabbit_intake import IntakeCounts, RabbitIntake, Receiver
from actbook.bridge._rabbit_link import checked_url, redacted
from actbook.bridge._rabbit_publisher import RabbitPublisher
from actbook.bridge._rabbit_queues import (
    DEAD_LETTER_REASON,
    BrokerConfig,
    Exchange,
    Queue,
    create_execution_queue_config,
)

__all__ = [
    "DEAD_LETTER_REASON",
    "SIZE_LIMIT",
    "BrokerConfig",
    "Cancel",
    "Cancellation",
    "DeadLetter",
    "DeadLetters",
    "Exchange",
    "IntakeCounts",
    "Message",
    "MessageRefusedError",
    "NotNowError",
    "Queue",
    "RabbitIntake",
    "RabbitPublisher",
    "Receiver",
    "RefusalReason",
    "Submission",
    "Submit",
    "TopologyError",
    "UnroutableError",
    "checked_url",
    "create_execution_queue_config",
    "is_named",
    "read_cancellation",
    "read_submission",
    "redacted",
]
