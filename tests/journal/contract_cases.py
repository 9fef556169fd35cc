"""The library's reusable test cases, bound to recorders of a fresh store.

Kept out of the test module, where pytest would run these bases too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import eventsourcing.tests.persistence as cases
import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, get_topic

from actbook.journal import memory
from actbook.journal._eventsourcing._factory import JournalFactory
from actbook.journal._eventsourcing._memory_factory import MemoryFactory
from actbook.journal._eventsourcing._sqlite_factory import SQLiteFactory


class Backend:
    """Mixed into each case: recorders of a fresh store."""

    module = "actbook.journal.memory"
    originator_id_type = "uuid"

    @pytest.fixture(autouse=True)
    def _fresh_store(self) -> Iterator[None]:
        with tempfile.TemporaryDirectory() as folder:
            self.factory = self._open(Path(folder))
            yield
            self.factory.close()

    def _open(self, folder: Path) -> JournalFactory:
        settings = {
            "PERSISTENCE_MODULE": self.module,
            "ORIGINATOR_ID_TYPE": self.originator_id_type,
            "SQLITE_DBNAME": str(folder / "contract.db"),
        }
        kind: type[JournalFactory] = SQLiteFactory if self.module.endswith("sqlite") else MemoryFactory
        return kind(Environment("contract", settings))

    def new_originator_id(self) -> UUID | str:
        return uuid4() if self.originator_id_type == "uuid" else f"stream-{uuid4()}"


class Aggregates(Backend, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()


class Applications(Backend, cases.ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class Tracking(Backend, cases.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.factory.tracking_recorder()


class Processes(Backend, cases.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class Positions(Backend, cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class CountingTrackingRecorder(memory.JournalTrackingRecorder):
    """A tracking recorder of an application's own."""


class Factories(cases.InfrastructureFactoryTestCase[Any]):
    module: Any = memory

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.env = Environment("factories", self.settings(folder.name))
        super().setUp()

    def settings(self, folder: str) -> dict[str, str]:
        return {"PERSISTENCE_MODULE": self.module.__name__, "SQLITE_DBNAME": f"{folder}/factory.db"}

    def expected_factory_class(self) -> type[Any]:
        factory: type[Any] = self.module.Factory
        return factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return memory.JournalAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return memory.JournalApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return memory.JournalTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return CountingTrackingRecorder

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return memory.JournalProcessRecorder

    def test_snapshots_have_a_recorder_of_their_own(self) -> None:
        assert type(self.factory.aggregate_recorder("snapshots")) is memory.JournalSnapshotRecorder

    def test_a_class_that_does_not_fit_is_refused(self) -> None:
        self.factory.env[self.factory.APPLICATION_RECORDER_TOPIC] = get_topic(CountingTrackingRecorder)
        with pytest.raises(OSError, match="does not derive"):
            self.factory.application_recorder()
