"""What the recorders of one store share."""

from __future__ import annotations

import threading
from typing import Literal
from uuid import UUID

from actbook.journal._eventsourcing._listening import Listening
from actbook.journal._eventsourcing._rows import Rows

OriginatorIdType = Literal["uuid", "text"]


class Datastore:
    """What the recorders of one store share: its rows, who listens to it, and how ids of originators are
    written.
    """

    def __init__(self, rows: Rows, originator_id_type: OriginatorIdType) -> None:
        self.rows = rows
        self.listening = Listening()
        self.tracking_changed = threading.Condition()
        self._are_uuids = originator_id_type == "uuid"

    def stream_id(self, originator_id: UUID | str) -> str:
        return originator_id.hex if isinstance(originator_id, UUID) else originator_id

    def originator_id(self, stream_id: str) -> UUID | str:
        return UUID(stream_id) if self._are_uuids else stream_id
