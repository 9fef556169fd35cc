"""The `eventsourcing` library's own reusable test cases against our recorders and factories.

All recorder cases and the factory case run, for memory and SQLite, with originator ids as UUID and as text,
the optional subscription case included. Left out: `TranscoderTestCase` (it asserts the bytes of the
library's JSON transcoder, which we use as it is and do not replace).
"""

from __future__ import annotations

import pytest
from eventsourcing.utils import Environment
from tests.journal import contract_cases

from actbook.journal import memory, sqlite
from actbook.journal._eventsourcing._factory import JournalFactory
from actbook.journal._eventsourcing._memory_factory import MemoryFactory
from actbook.journal._eventsourcing._sqlite_factory import SQLiteFactory


class TestMemoryAggregates(contract_cases.Aggregates):
    pass


class TestMemoryApplications(contract_cases.Applications):
    pass


class TestMemoryTracking(contract_cases.Tracking):
    pass


class TestMemoryProcesses(contract_cases.Processes):
    pass


class TestMemoryPositions(contract_cases.Positions):
    pass


class TestMemoryTextAggregates(contract_cases.Aggregates):
    originator_id_type = "text"


class TestMemoryTextApplications(contract_cases.Applications):
    originator_id_type = "text"


class TestMemoryTextProcesses(contract_cases.Processes):
    originator_id_type = "text"


class TestSQLiteAggregates(contract_cases.Aggregates):
    module = "actbook.journal.sqlite"


class TestSQLiteApplications(contract_cases.Applications):
    module = "actbook.journal.sqlite"


class TestSQLiteTracking(contract_cases.Tracking):
    module = "actbook.journal.sqlite"


class TestSQLiteProcesses(contract_cases.Processes):
    module = "actbook.journal.sqlite"


class TestSQLitePositions(contract_cases.Positions):
    module = "actbook.journal.sqlite"


class TestSQLiteTextAggregates(contract_cases.Aggregates):
    module = "actbook.journal.sqlite"
    originator_id_type = "text"


class TestSQLiteTextApplications(contract_cases.Applications):
    module = "actbook.journal.sqlite"
    originator_id_type = "text"


class TestSQLiteTextProcesses(contract_cases.Processes):
    module = "actbook.journal.sqlite"
    originator_id_type = "text"


class TestMemoryFactory(contract_cases.Factories):
    module = memory


class TestSQLiteFactory(contract_cases.Factories):
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
    kind: type[JournalFactory] = (
        SQLiteFactory if settings["PERSISTENCE_MODULE"].endswith("sqlite") else MemoryFactory
    )
    with pytest.raises(OSError, match=r"SQLITE|ORIGINATOR"):
        kind(Environment("wrong", settings))
