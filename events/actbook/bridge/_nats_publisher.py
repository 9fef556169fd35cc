"""Events to JetStream."""

from __future__ import annotations

from actbook.bridge._nats_connection import Connection
from actbook.bridge._nats_message import event_in, headers_and_body, size_of
from actbook.bridge._nats_subject import filter_of, subject_of
from actbook.bridge._nats_url import BusConfig, redacted
from actbook.bridge._relay_publisher import BusUnavailableError, RefusedError
from actbook.events import Envelope

_TOO_LARGE = 10_054
"""JetStream's code for a message above the stream's own limit."""


class NatsPublisher:
    """Publishes each event under its id, one at a time per call, and returns when JetStream has it."""

    def __init__(self, config: BusConfig) -> None:
        self.config = config
        self._connection = Connection(config, "actbook relay")

    async def publish(self, event: Envelope) -> None:
        """Raises `BusUnavailableError` or `RefusedError`."""
        import nats.errors
        from nats.js.errors import APIError, NoStreamResponseError

        headers, body = headers_and_body(event)
        subject = subject_of(self.config.tenant, event.stream_id, event.topic)
        jetstream = await self._connection.jetstream()
        # The client looks at the body alone, and the server cuts the connection of whoever sends more.
        size, most = size_of(headers, body), self._connection.max_payload
        if size > most:
            raise RefusedError(f"it has {size:,} bytes, the server takes {most:,}")
        try:
            await jetstream.publish(
                subject, body, timeout=self.config.timeout, stream=self.config.stream_name, headers=headers
            )
        except NoStreamResponseError:
            self._connection.doubt()
            raise self._unavailable("the stream is gone") from None
        except APIError as error:
            if error.err_code == _TOO_LARGE:
                raise RefusedError(f"it has {size:,} bytes, more than the stream takes") from None
            self._connection.doubt()
            raise self._unavailable(str(error)) from None
        except TimeoutError:
            # It may be stored all the same; its id keeps it from being stored twice.
            raise self._unavailable("no acknowledgement in time") from None
        except (OSError, nats.errors.Error) as error:
            raise self._unavailable(str(error) or type(error).__name__) from None

    async def last_version(self, stream_id: str) -> int:
        """Version of the last event of the stream that JetStream keeps; 0 when there is none."""
        import nats.errors
        from nats.js.errors import NotFoundError

        jetstream = await self._connection.jetstream()
        try:
            last = await jetstream.get_last_msg(
                self.config.stream_name, filter_of(self.config.tenant, stream_id=stream_id)
            )
        except NotFoundError:
            return 0
        except (TimeoutError, OSError, nats.errors.Error) as error:
            self._connection.doubt()
            raise self._unavailable(str(error) or type(error).__name__) from None
        try:
            found = event_in(last.headers or {}, last.data or b"")
        except ValueError:
            return 0
        return found.version if found.stream_id == stream_id else 0

    async def close(self) -> None:
        await self._connection.close()

    def _unavailable(self, reason: str) -> BusUnavailableError:
        return BusUnavailableError(redacted(f"{self.config.shown}: {reason}"))
