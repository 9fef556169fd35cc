"""Links, paths and pointers to tests lead somewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from tests.docs.snippets import PAGES, ROOT, page_name, prose

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PATH = re.compile(r"`((?:actors|events|projections|tests|docs|examples|benchmarks)/[\w./-]*)(?:::(\w+))?`")

pages = pytest.mark.parametrize("page", PAGES, ids=page_name)


@pages
def test_links_lead_somewhere(page: Path) -> None:
    broken = [target for target in _LINK.findall(prose(page.read_text("utf-8"))) if not _leads(page, target)]
    assert not broken


def _leads(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    if not found.exists() or not found.is_relative_to(ROOT):
        return False
    return not anchor or anchor in _anchors(found)


@cache
def _anchors(page: Path) -> frozenset[str]:
    headings = _HEADING.findall(prose(page.read_text("utf-8")))
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@pages
def test_paths_and_tests_that_a_page_names_exist(page: Path) -> None:
    missing = []
    for path, test in _PATH.findall(page.read_text("utf-8")):
        file = ROOT / path
        if not file.exists() or (test and f"def {test}(" not in file.read_text("utf-8")):
            missing.append(f"{path}::{test}")
    assert not missing


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text("utf-8"))}
    reached = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {index}
    assert reached <= linked
