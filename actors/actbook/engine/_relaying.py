"""The relays that an engine brings along, and that a program may run beside one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actbook.bridge import Relay
    from actbook.journal import Journal


def relay_to(bus: str, journal: Journal, worker: str) -> Relay:
    """A relay of everything in the journal to NATS, not started. Raises `BusUrlError`."""
    from actbook.bridge import Relay
    from actbook.bridge.nats import NatsPublisher, bus_config

    config = bus_config(bus)
    return Relay(
        journal,
        NatsPublisher(config),
        name=f"nats-{config.stream_name}",
        worker=worker,
        in_flight=config.in_flight,
    )


def run_messages_to(broker: str, journal: Journal, worker: str) -> Relay:
    """A relay that tells RabbitMQ which executions have something to do, not started. Raises `BusUrlError`."""
    from actbook.bridge import Relay
    from actbook.bridge.rabbitmq import RabbitPublisher

    return Relay(journal, RabbitPublisher(broker), name="rabbitmq", worker=worker)
