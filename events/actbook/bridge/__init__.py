"""Bridges to message brokers: what is declared there, as data. Nothing here connects to anything."""

from actbook.bridge.rabbitmq import (
    DEAD_LETTER_REASON,
    BrokerConfig,
    Exchange,
    Queue,
    create_execution_queue_config,
)

__all__ = [
    "DEAD_LETTER_REASON",
    "BrokerConfig",
    "Exchange",
    "Queue",
    "create_execution_queue_config",
]
