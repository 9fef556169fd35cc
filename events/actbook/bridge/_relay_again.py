"""A second chance for what a bus refused."""

from __future__ import annotations

from actbook.bridge._relay_ledger import Ledger, SetAside
from actbook.bridge._relay_outbox import Unreadable, event_at
from actbook.bridge._relay_publisher import BusUnavailableError, Publisher, RefusedError
from actbook.bridge._relay_thread import in_thread
from actbook.journal import Journal


async def publish_again(
    journal: Journal, ledger: Ledger, publisher: Publisher, name: str
) -> tuple[list[SetAside], list[SetAside]]:
    """Publishes what the relay `name` set aside: what the bus took, and what it refused again.

    They come behind later events of their streams. Raises `BusUnavailableError`; what was published until then stays so.
    """
    published: list[SetAside] = []
    refused: list[SetAside] = []
    for left in await in_thread(ledger.left_aside, name):
        event = await in_thread(event_at, journal.store, left.position)
        if event is None or isinstance(event, Unreadable):
            refused.append(left if event is None else left._replace(reason=event.reason))
            continue
        try:
            await publisher.publish(event)
        except BusUnavailableError:
            raise
        except RefusedError as error:
            refused.append(left._replace(reason=error.reason))
        except Exception as error:
            refused.append(left._replace(reason=f"{type(error).__name__}: {error}"))
        else:
            await in_thread(ledger.take_back, name, left.position)
            published.append(left)
    return published, refused
