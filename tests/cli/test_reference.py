"""The reference pages say what the code says."""

from __future__ import annotations

import pytest
from docs.reference.pages import FOLDER, PAGES

from actbook.cli._exit_codes import OF_STATUS, ExitCode
from actbook.cli._reference import command_line_page
from actbook.cli._verbs import VERBS
from actbook.events import ExecutionStatus, registered_topics


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    written = (FOLDER / name).read_text("utf-8")
    assert written == PAGES[name](), "run `make docs`"


def test_every_verb_and_every_exit_code_is_described() -> None:
    page = command_line_page()
    for verb in VERBS:
        assert f"\n## actbook {verb.name}\n" in page
    for code in ExitCode:
        assert f"| {int(code)} | {code.meaning} |" in page


def test_every_topic_is_described() -> None:
    page = PAGES["events.md"]()
    for topic, kind in registered_topics().items():
        own = kind.__module__.startswith("actbook.")
        assert (f"\n## {topic}\n" in page) is own, topic


def test_every_end_has_an_exit_code() -> None:
    ends = [status for status in ExecutionStatus if status.is_terminal or status is ExecutionStatus.REVIEW]
    assert sorted(OF_STATUS) == sorted(ends)
    assert len(set(OF_STATUS.values())) == len(ends)
