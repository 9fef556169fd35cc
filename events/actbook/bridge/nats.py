"""NATS JetStream: every committed event as a CloudEvent, and a way to listen to them."""

from actbook.bridge._nats_consumer import consume
from actbook.bridge._nats_message import BusEvent
from actbook.bridge._nats_publisher import NatsPublisher
from actbook.bridge._nats_subject import subject_of, text_of, token_of
from actbook.bridge._nats_url import BusConfig, bus_config

__all__ = [
    "BusConfig",
    "BusEvent",
    "NatsPublisher",
    "bus_config",
    "consume",
    "subject_of",
    "text_of",
    "token_of",
]
