"""The `eventsourcing` library's own reusable test cases against our recorders and factories.

All recorder cases and the factory case run, for memory and SQLite, with originator ids as UUID and as text,
the optional subscription case included. Left out: `TranscoderTestCase` (it asserts the bytes of the
library's JSON transcoder, which we do not replace) and the mapper cases that need a cipher when the package
that ciphers need is not installed.
"""

from __future__ import annotations

import importlib.util
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

from actbook.journal import memory, sqlite
from actbook.journal._eventsourcing._memory_factory import MemoryFactory
from actbook.journal._eventsourcing._sqlite_factory import SQLiteFactory

_HAS_CIPHERS = importlib.util.find_spec("Crypto") is not None


class _Backend:
    """Mixed into each case: recorders of a fresh store."""

    module = "actbook.journal.memory"
    originator_id_type = "uuid"

    @pytest.fixture(autouse=True)
    def _fresh_store(self) -> Iterator[None]:
        with tempfile.TemporaryDirectory() as folder:
            self.factory: Any = self._open(Path(folder))
            yield
            self.factory.close()

    def _open(self, folder: Path) -> Any:
        settings = {
            "PERSISTENCE_MODULE": self.module,
            "ORIGINATOR_ID_TYPE": self.originator_id_type,
            "SQLITE_DBNAME": str(folder / "contract.db"),
        }
        kind = SQLiteFactory if self.module.endswith("sqlite") else MemoryFactory
        return kind(Environment("contract", settings))

    def new_originator_id(self) -> UUID | str:
        return uuid4() if self.originator_id_type == "uuid" else f"stream-{uuid4()}"


class _Aggregates(_Backend, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()


class _Applications(_Backend, cases.ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class _Tracking(_Backend, cases.TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.factory.tracking_recorder()


class _Processes(_Backend, cases.ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class _Positions(_Backend, cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class TestMemoryAggregates(_Aggregates):
    pass


class TestMemoryApplications(_Applications):
    pass


class TestMemoryTracking(_Tracking):
    pass


class TestMemoryProcesses(_Processes):
    pass


class TestMemoryPositions(_Positions):
    pass


class TestMemoryTextAggregates(_Aggregates):
    originator_id_type = "text"


class TestMemoryTextApplications(_Applications):
    originator_id_type = "text"


class TestMemoryTextProcesses(_Processes):
    originator_id_type = "text"


class TestSQLiteAggregates(_Aggregates):
    module = "actbook.journal.sqlite"


class TestSQLiteApplications(_Applications):
    module = "actbook.journal.sqlite"


class TestSQLiteTracking(_Tracking):
    module = "actbook.journal.sqlite"


class TestSQLiteProcesses(_Processes):
    module = "actbook.journal.sqlite"


class TestSQLitePositions(_Positions):
    module = "actbook.journal.sqlite"


class TestSQLiteTextAggregates(_Aggregates):
    module = "actbook.journal.sqlite"
    originator_id_type = "text"


class TestSQLiteTextApplications(_Applications):
    module = "actbook.journal.sqlite"
    originator_id_type = "text"


class TestSQLiteTextProcesses(_Processes):
    module = "actbook.journal.sqlite"
    originator_id_type = "text"


class CountingTrackingRecorder(memory.JournalTrackingRecorder):
    """A tracking recorder of an application's own."""


class _Factories(cases.InfrastructureFactoryTestCase[Any]):
    module: Any = memory

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = {"PERSISTENCE_MODULE": self.module.__name__, "SQLITE_DBNAME": f"{folder.name}/factory.db"}
        self.env = Environment("factories", settings)
        super().setUp()

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

    if not _HAS_CIPHERS:
        test_mapper_with_cipher = None
        test_mapper_with_cipher_and_compressor = None
        test_mapper_with_wrong_cipher_key = None

    def test_snapshots_have_a_recorder_of_their_own(self) -> None:
        assert type(self.factory.aggregate_recorder("snapshots")) is memory.JournalSnapshotRecorder

    def test_a_class_that_does_not_fit_is_refused(self) -> None:
        self.factory.env[self.factory.APPLICATION_RECORDER_TOPIC] = get_topic(CountingTrackingRecorder)
        with pytest.raises(OSError, match="does not derive"):
            self.factory.application_recorder()


class TestMemoryFactory(_Factories):
    module = memory


class TestSQLiteFactory(_Factories):
    module = sqlite


@pytest.mark.parametrize(
    "settings",
    [
        {"PERSISTENCE_MODULE": "actbook.journal.sqlite"},
        {"PERSISTENCE_MODULE": "actbook.journal.sqlite", "SQLITE_DBNAME": "x", "SQLITE_LOCK_TIMEOUT": "soon"},
        {"PERSISTENCE_MODULE": "actbook.journal.memory", "ORIGINATOR_ID_TYPE": "number"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str]) -> None:
    kind = SQLiteFactory if settings["PERSISTENCE_MODULE"].endswith("sqlite") else MemoryFactory
    with pytest.raises(OSError, match=r"SQLITE|ORIGINATOR"):
        kind(Environment("wrong", settings))


# the cases' abstract bases are no tests of this module
for _base in (_Aggregates, _Applications, _Tracking, _Processes, _Positions, _Factories):
    _base.__test__ = False  # type: ignore[attr-defined]
for _case in [value for name, value in list(globals().items()) if name.startswith("Test")]:
    _case.__test__ = True
