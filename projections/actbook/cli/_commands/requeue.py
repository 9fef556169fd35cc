"""`actbook requeue`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Broker, Bus, Options

if TYPE_CHECKING:
    from actbook.bridge import SetAside
    from actbook.engine import Engine


def requeue(
    *,
    bus: Bus = "",
    broker: Broker = "",
    after: int | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Publishes again what the journal says is waiting.

    On the broker a run message for every unfinished execution; on the bus every event that it refused before. Repeating it does
    no harm: who takes the messages knows them by their ids.

    Parameters
    ----------
    after
        Let the relay to the bus begin again behind this position, 0 for the first event, and fill in what the bus lacks.
    """
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if not bus and not broker:
        raise UsageError("There is nowhere to publish to. Name --bus nats://… or --broker amqp://….")
    if after is not None and (after < 0 or not bus):
        raise UsageError("--after takes a position from 0 on, and --bus nats://… with it.")
    return run_async(_requeue(bus, broker, after, options))


async def _requeue(bus: str, broker: str, after: int | None, options: Options) -> ExitCode:
    from actbook.cli._printing import note, print_ids, print_json
    from actbook.cli._session import reading

    hinted: list[str] = []
    published: list[SetAside] = []
    left: list[SetAside] = []
    async with reading(options) as engine:
        if broker:
            hinted = await _hint(engine, broker, options.user)
        if bus:
            published, left = await _again(engine, bus, after)
    if options.output == "json":
        print_json(
            {
                "executions": hinted,
                "published": [each.event_id.hex() for each in published],
                "refused": [{"event_id": each.event_id.hex(), "reason": each.reason} for each in left],
            }
        )
    elif options.output == "ids":
        print_ids(hinted)
    if broker:
        note(f"{len(hinted)} run messages published.", options.output)
    if bus:
        note(f"{len(published)} events published, {len(left)} refused again.", options.output)
    for each in left:
        note(f"  {each.topic}, version {each.version} of {each.stream_id}: {each.reason}", options.output)
    return ExitCode.FAULTY if left else ExitCode.OK


async def _hint(engine: Engine, broker: str, user: str | None) -> list[str]:
    from uuid import uuid4

    from actbook.bridge.rabbitmq import RabbitPublisher

    hinted = []
    async with RabbitPublisher(broker) as publisher:
        for execution_id in await engine.journal.unfinished():
            state = await engine.get_graph_execution(execution_id)
            if user in (None, state.user_id):
                await publisher.hint(execution_id, state.user_id, str(uuid4()))
                hinted.append(execution_id)
    return hinted


async def _again(engine: Engine, bus: str, after: int | None) -> tuple[list[SetAside], list[SetAside]]:
    """Those that the bus took, and those that it refused again."""
    from actbook.bridge import Ledger, publish_again
    from actbook.bridge.nats import NatsPublisher, bus_config
    from actbook.engine import relay_to

    name = relay_to(bus, engine.journal, engine.worker).name
    ledger = await asyncio.to_thread(Ledger, engine.journal.store)
    publisher = NatsPublisher(bus_config(bus))
    try:
        answer = await publish_again(engine.journal, ledger, publisher, name)
        if after is not None:
            await asyncio.to_thread(ledger.rewind, name, after)
        return answer
    finally:
        await publisher.close()
        await asyncio.to_thread(ledger.close)
