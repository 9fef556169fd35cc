"""`actbook relay`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, PATIENCE, Broker, Bus, Options, Patience

if TYPE_CHECKING:
    from actbook.bridge import Relay, RelayStatus
    from actbook.engine import Engine


def relay(
    *,
    bus: Bus = "",
    broker: Broker = "",
    until_idle: Annotated[bool, Parameter(negative=())] = False,
    patience: Patience = PATIENCE,
    options: Options = DEFAULTS,
) -> int:
    """Publishes what is committed on the bus, and run messages on the broker, until it is ended. Runs nothing itself.

    It goes on where the last relay stopped. If another process relays from this store, this one stands by and takes over when
    that one is gone.

    Parameters
    ----------
    until_idle
        End when everything that is committed now is published.
    """
    if until_idle:
        patience = 0.0
    from actbook.cli._problems import UsageError
    from actbook.cli._session import run_async

    if not bus and not broker:
        raise UsageError("There is nowhere to publish to. Name --bus nats://… or --broker amqp://….")
    return run_async(_relay(bus, broker, until_idle, patience, options))


async def _relay(bus: str, broker: str, until_idle: bool, patience: float, options: Options) -> ExitCode:
    from actbook.cli._printing import note, print_json
    from actbook.cli._services import enter_when_there, first_of
    from actbook.cli._session import on_signal, reading
    from actbook.journal import redacted_url

    ended = asyncio.Event()
    with on_signal(signal.SIGTERM, ended.set), on_signal(signal.SIGINT, ended.set):
        async with AsyncExitStack() as stack:
            engine = await enter_when_there(stack, lambda: reading(options), patience, ended, options)
            if engine is None:
                return ExitCode.OK
            relays = await stack.enter_async_context(_relays(engine, bus, broker))
            names = ", ".join(each.name for each in relays)
            note(f"Relaying {redacted_url(options.store)} to {names}.", options.output)
            await first_of(ended.wait(), *([_idle(engine, relays)] if until_idle else []))
            statuses = [await each.status() for each in relays]
    for status in statuses:
        note(_sentence(status), options.output)
    if options.output == "json":
        print_json([status._asdict() for status in statuses])
    return ExitCode.OK


async def _idle(engine: Engine, relays: list[Relay]) -> None:
    last = await engine.journal.last_position()
    await asyncio.gather(*(each.wait(last) for each in relays))


@asynccontextmanager
async def _relays(engine: Engine, bus: str, broker: str) -> AsyncIterator[list[Relay]]:
    from actbook.engine import relay_to, run_messages_to

    worker = engine.worker
    relays = [relay_to(bus, engine.journal, worker)] if bus else []
    if broker:
        relays.append(run_messages_to(broker, engine.journal, worker))
    async with AsyncExitStack() as stack:
        for each in relays:
            stack.push_async_callback(each.close)
            each.start()
        yield relays


def _sentence(status: RelayStatus) -> str:
    text = f"{status.name}: {status.published} published, {status.behind} to go"
    if status.set_aside:
        text += f", {status.set_aside} set aside (`actbook requeue` tries them again)"
    return f"{text}; {status.failure}" if status.failure else f"{text}."
