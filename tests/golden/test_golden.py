"""What earlier versions recorded is read by this one, and means the same."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from tests.golden.examples import example, same, topics
from tests.golden.journal import FOLDER, read, shown, summary
from tests.golden.views import read_views, views_of

from actbook.events import fold
from actbook.journal import verify_chain
from actbook.replay import History

JOURNALS = sorted(FOLDER.glob("*.jsonl"))
CURRENT = FOLDER / f"{version('actbook')}.jsonl"


def test_every_event_type_has_a_golden_example() -> None:
    golden = read(CURRENT)
    examples = {
        row.topic: golden.payloads[row.position]
        for row in golden.rows
        if row.stream_id.startswith("example:")
    }
    new = sorted(set(topics()) - set(examples))
    assert not new, (
        f"without a golden example: {new}; write them with `python -m tests.golden` before a release"
    )
    old = [name for name, kind in topics().items() if not set(shown(example(kind))) <= set(examples[name])]
    assert not old, (
        f"with new fields: {old}; write the journal of this version anew with `python -m tests.golden`"
    )


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_every_chain_is_whole(path: Path) -> None:
    golden = read(path)
    assert verify_chain(sorted(golden.rows, key=lambda row: (row.stream_id, row.version))) == []


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_every_event_is_read_as_it_was_meant(path: Path) -> None:
    golden = read(path)
    for event in golden.events():
        assert same(golden.payloads[event.position], shown(event.payload)), event


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_every_execution_is_legal_and_comes_to_the_same(path: Path) -> None:
    golden = read(path)
    histories = golden.histories()
    assert set(histories) == set(golden.executions)
    for execution_id, events in histories.items():
        assert History(events).verify() == []
        assert same(golden.executions[execution_id], summary(fold(events, retain=True))), execution_id


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_every_view_of_the_same_version_has_the_same_rows(path: Path) -> None:
    now, then = views_of(read(path)), read_views(path)
    for name, view in then.items():
        if name in now and now[name]["version"] == view["version"]:
            assert now[name] == view, f"{name}: raise its version, so that stores fill it again"


def test_every_view_has_golden_rows() -> None:
    then = read_views(CURRENT)
    missing = [
        name
        for name, view in views_of(read(CURRENT)).items()
        if then.get(name, {}).get("version") != view["version"]
    ]
    assert not missing, f"without golden rows: {missing}; write them with `python -m tests.golden.views`"
