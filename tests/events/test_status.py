"""The status machine: against its specification, and against its page."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from actbook.events import SOURCES, ExecutionStatus, IllegalTransitionError, can_move, check_move
from actbook.graphs import ActbookError

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "status-machine.md"

SPECIFIED = {
    "INCOMPLETE": set[str](),
    "QUEUED": {"INCOMPLETE", "TERMINATED", "REVIEW"},
    "RUNNING": {"INCOMPLETE", "QUEUED", "TERMINATED", "REVIEW"},
    "COMPLETED": {"RUNNING"},
    "FAILED": {"INCOMPLETE", "QUEUED", "RUNNING", "REVIEW"},
    "TERMINATED": {"INCOMPLETE", "QUEUED", "RUNNING", "REVIEW"},
    "REVIEW": {"RUNNING"},
}

Moves = set[tuple[str, str]]


def moves_of(table: dict[str, set[str]]) -> Moves:
    return {(source, wanted) for wanted, sources in table.items() for source in sources}


@pytest.mark.parametrize(("current", "wanted"), list(product(ExecutionStatus, repeat=2)))
def test_each_of_the_49_moves_is_as_specified(current: ExecutionStatus, wanted: ExecutionStatus) -> None:
    allowed = current in SPECIFIED[wanted]
    assert can_move(current, wanted) is allowed
    if allowed:
        check_move(current, wanted)
        return
    with pytest.raises(IllegalTransitionError) as caught:
        check_move(current, wanted, "Graph execution #7")
    assert (caught.value.current, caught.value.wanted) == (current, wanted)
    assert f"Graph execution #7 is {current} and cannot become {wanted}" in str(caught.value)
    assert isinstance(caught.value, ActbookError)


def test_the_table_covers_every_status() -> None:
    assert set(SOURCES) == set(ExecutionStatus)
    assert {str(status) for status in ExecutionStatus} == set(SPECIFIED)


def test_final_and_terminal() -> None:
    final = {status for status in ExecutionStatus if status.is_final}
    terminal = {status for status in ExecutionStatus if status.is_terminal}
    assert final == {ExecutionStatus.COMPLETED, ExecutionStatus.FAILED}
    assert terminal == final | {ExecutionStatus.TERMINATED}
    assert final == {status for status in ExecutionStatus if not any(can_move(status, to) for to in SOURCES)}


def test_the_picture_agrees_with_the_code() -> None:
    picture = PAGE.read_text(encoding="utf-8").partition("```mermaid")[2].partition("```")[0]
    drawn = set(re.findall(r"^ *(\w+) --> (\w+)$", picture, re.MULTILINE))
    ends = set(re.findall(r"^ *(\w+) --> \[\*\]$", picture, re.MULTILINE))
    assert drawn == moves_of({wanted: set(sources) for wanted, sources in SOURCES.items()})
    assert ends == {status for status in ExecutionStatus if status.is_final}


def test_the_table_of_the_page_agrees_with_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("| to | from |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| (\w+) \| (.+) \|$", page, re.MULTILINE))
    told = {wanted: set(re.findall(r"[A-Z]{2,}", sources)) for wanted, sources in rows.items()}
    assert told == {wanted: set(sources) for wanted, sources in SOURCES.items()}
