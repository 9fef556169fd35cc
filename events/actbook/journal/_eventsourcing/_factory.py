"""Factories: how the library gets recorders from the environment of an application."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar, cast

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    ProcessRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType, resolve_topic

from actbook.journal._eventsourcing._datastore import Datastore, OriginatorIdType
from actbook.journal._eventsourcing._mapper import JournalMapper
from actbook.journal._eventsourcing._recorders import (
    JournalAggregateRecorder,
    JournalApplicationRecorder,
    JournalProcessRecorder,
    JournalSnapshotRecorder,
    JournalTrackingRecorder,
)
from actbook.journal._eventsourcing._rows import Rows

R = TypeVar("R")

_SNAPSHOTS = "snapshots"


class JournalFactory(InfrastructureFactory[JournalTrackingRecorder]):
    """One store per factory; all its recorders share it.

    `ORIGINATOR_ID_TYPE` is `text` (the default) or `uuid`.
    """

    ORIGINATOR_ID_TYPE = "ORIGINATOR_ID_TYPE"

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        originator_id_type = (self.env.get(self.ORIGINATOR_ID_TYPE) or "text").lower()
        if originator_id_type not in ("uuid", "text"):
            raise OSError(f"Invalid {self.ORIGINATOR_ID_TYPE} {originator_id_type!r}: use 'uuid' or 'text'")
        self.datastore = Datastore(self.open_rows(), cast("OriginatorIdType", originator_id_type))

    @abstractmethod
    def open_rows(self) -> Rows:
        """Opens the store that the environment names."""

    def mapper(
        self,
        transcoder: Transcoder | None = None,
        mapper_class: type[Mapper[Any]] | None = None,
    ) -> Mapper[Any]:
        made = super().mapper(transcoder, mapper_class)
        if isinstance(made, JournalMapper):
            made.load_blob = self.datastore.rows.blob
        return made

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        if purpose == _SNAPSHOTS:
            return JournalSnapshotRecorder(self.datastore)
        return JournalAggregateRecorder(self.datastore)

    def application_recorder(self) -> ApplicationRecorder:
        chosen = self._chosen(self.APPLICATION_RECORDER_TOPIC, JournalApplicationRecorder)
        return chosen(self.datastore)

    def tracking_recorder(
        self, tracking_recorder_class: type[JournalTrackingRecorder] | None = None
    ) -> JournalTrackingRecorder:
        chosen = tracking_recorder_class or self._chosen(
            self.TRACKING_RECORDER_TOPIC, JournalTrackingRecorder
        )
        return chosen(self.datastore)

    def process_recorder(self) -> ProcessRecorder:
        chosen = self._chosen(self.PROCESS_RECORDER_TOPIC, JournalProcessRecorder)
        return chosen(self.datastore)

    def close(self) -> None:
        self.datastore.rows.close()

    def _chosen(self, setting: str, default: type[R]) -> type[R]:
        """A class that the environment names, or the default; it must derive from the default."""
        topic = self.env.get(setting)
        chosen: type[R] = resolve_topic(topic) if topic else default
        if not issubclass(chosen, default):
            raise OSError(f"{setting} {topic!r} does not derive from {default.__name__}")
        return chosen
