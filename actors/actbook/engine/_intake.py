"""The way in from a message broker, put together for one engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.engine._intake_places import Places

if TYPE_CHECKING:
    from actbook.bridge.rabbitmq import RabbitIntake
    from actbook.engine._engine import Engine


class Intake:
    """Takes messages from when it is started until it is closed; the broker may come and go meanwhile."""

    def __init__(self, engine: Engine, url: str, capacity: int, worker: str) -> None:
        """Raises `BusUrlError`."""
        # Only who names a broker pays for the client library.
        from actbook.bridge.rabbitmq import RabbitIntake
        from actbook.engine._intake_receiver import EngineReceiver

        self._places = Places(capacity)
        self.rabbit: RabbitIntake = RabbitIntake(url, EngineReceiver(engine, self._places), worker=worker)
        self._places.on_free = self.rabbit.wake

    def start(self) -> None:
        self.rabbit.start()

    def left(self, execution_id: str) -> None:
        """An execution let go of its memory."""
        self._places.left(execution_id)

    def owns(self) -> None:
        """This process runs the executions of the store from now on."""
        self.rabbit.wake()

    async def close(self) -> None:
        await self.rabbit.close()
