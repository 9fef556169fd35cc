"""The hand-written reference pages agree with the code."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.docs.errors import all_errors, attributes_of, bases_of, door_of
from tests.docs.snippets import ROOT

from actbook.actors import Capacity, SupervisionPolicy, Timing
from actbook.bridge._nats_url import _READERS, bus_config
from actbook.engine import CheckpointPolicy, Engine, EngineSettings, RetentionPolicy
from actbook.engine._configuration import _wanted, variables
from actbook.engine.billing import Billing, Tariff
from actbook.events import Limits, Settings
from actbook.projections import BUILT_IN, Table

REFERENCE = ROOT / "docs" / "reference"
_SETTINGS = {
    "EngineSettings (`actbook.engine`)": EngineSettings,
    "CheckpointPolicy (`actbook.engine`)": CheckpointPolicy,
    "RetentionPolicy (`actbook.engine`)": RetentionPolicy,
    "Billing (`actbook.engine.billing`)": Billing,
    "Tariff (`actbook.engine.billing`)": Tariff,
    "Capacity (`actbook.actors`)": Capacity,
    "Timing (`actbook.actors`)": Timing,
    "SupervisionPolicy (`actbook.actors`)": SupervisionPolicy,
    "Limits (`actbook.events`), per run": Limits,
    "Settings (`actbook.events`), per run": Settings,
}
_TABLES = [table for projection in BUILT_IN for table in projection.tables()]


def _sections(page: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", (REFERENCE / page).read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _rows(section: str) -> list[list[str]]:
    """Cells of the table in a section, without its head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def test_every_error_is_described_where_it_is_offered() -> None:
    sections = _sections("errors.md")
    described = {
        door: {tuple(cell.strip("`") for cell in row[:3]) for row in _rows(section)}
        for door, section in sections.items()
        if door.startswith("actbook.")
    }
    wanted: dict[str, set[tuple[str, ...]]] = {door: set() for door in described}
    for error in all_errors():
        if door_of(error):
            wanted[door_of(error)].add((error.__name__, bases_of(error), attributes_of(error)))
    assert described == wanted
    internal = {error.__name__ for error in all_errors() if not door_of(error)}
    assert set(re.findall(r"`(\w+Error)`", sections["Without a public name"])) - {"ActbookError"} == internal


@pytest.mark.parametrize("section", _SETTINGS)
def test_every_setting_is_described_with_its_default(section: str) -> None:
    described = [(row[0].strip("`"), row[1].strip("`")) for row in _rows(_sections("settings.md")[section])]
    assert described == [(name, _default(name, value)) for name, value in _fields(_SETTINGS[section]())]


def _fields(settings: Any) -> list[tuple[str, Any]]:
    names = getattr(settings, "__struct_fields__", None) or tuple(settings.__dataclass_fields__)
    return [(name, getattr(settings, name)) for name in names]


def _default(name: str, value: Any) -> str:
    if isinstance(value, msgspec.Struct) or type(value) is SupervisionPolicy:
        return f"{type(value).__name__}()"
    return "number of CPUs" if name == "cpu" and value == os.cpu_count() else repr(value)


def test_the_environment_variables_are_those_of_the_code() -> None:
    described = {row[0].strip("`") for row in _rows(_sections("settings.md")["Environment variables"])}
    sources = [path for root in ("actors", "events", "projections") for path in (ROOT / root).rglob("*.py")]
    named = {
        name for path in sources for name in re.findall(r'"(ACTBOOK_[A-Z_]+[A-Z])"', path.read_text("utf-8"))
    }
    assert described == named


def test_the_variables_of_settings_are_those_of_the_code() -> None:
    described = {tuple(row) for row in _rows(_sections("settings.md")["Variables of settings"])}
    wanted = {
        (f"`{name}`", f"`{field}.{part}`" if part else f"`{field}`", _wanted(kind))
        for name, (field, part, kind) in variables().items()
        if field not in ("broker", "bus")
    }
    assert described == wanted


def test_the_parameters_of_a_bus_are_those_of_the_code() -> None:
    rows = _rows(_sections("settings.md")["Bus URLs"])
    config = bus_config("nats://host")
    described = {row[0].strip("`"): row[1].strip("`") for row in rows}
    assert described == {name: repr(getattr(config, name)) for name in _READERS}


@pytest.mark.parametrize("table", _TABLES, ids=lambda table: table.name)
def test_every_column_of_a_view_is_described(table: Table) -> None:
    section = _sections("sql.md")[table.name]
    key = ", ".join(f"`{name}`" for name in table.key)
    assert section.strip().startswith(f"{table.doc} Key: {key}.")
    wanted = [
        [f"`{column.name}`", column.type, "yes" if _nullable(table, column.name) else "", column.doc]
        for column in table.columns
    ]
    assert _rows(section) == wanted, "\n".join(f"| {' | '.join(row)} |" for row in wanted)


def _nullable(table: Table, name: str) -> bool:
    [column] = [column for column in table.columns if column.name == name]
    return column.default is None and not column.generated and name not in table.key


def test_a_real_file_has_the_tables_as_described(tmp_path: Path) -> None:
    async def make() -> None:
        async with Engine.open(f"sqlite:///{tmp_path}/store.db"):
            pass

    asyncio.run(make())
    connection = sqlite3.connect(tmp_path / "store.db")
    sections = _sections("sql.md")
    found = {}
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name"):
        found[name] = [(f"`{row[1]}`", row[2]) for row in connection.execute(f"PRAGMA table_xinfo({name})")]
    connection.close()
    described = {
        name: [(row[0], row[1]) for row in _rows(text)] for name, text in sections.items() if _rows(text)
    }
    journal = {name for name in found if name not in described and not name.startswith("sqlite_")}
    assert {name: found.get(name) for name in described} == described
    assert journal == set(re.findall(r"`(\w+)`", sections["Not part of the schema"].split(" hold ")[0]))
