"""Pages of the documentation, cut into what can be checked.

Fenced blocks of a page form one story, run in order in one folder. `sh` runs in a shell; `python` is a program
of its own, or, when its first line is a comment that is a file name (`# first.py`), a file that later snippets run
or import. A `text` block right behind one is what it prints: `…` stands for any text within a line and, alone on a
line, for any lines. A comment `<!-- not run: why -->` right before a block keeps it from being run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+ -->\s*\Z")
_FILE_NAME = re.compile(r"\A# ([\w-]+\.py)\n")


class Block(NamedTuple):
    """A fenced block. `line` is that of its fence; `adjacent`: only space stands between it and the block before."""

    language: str
    text: str
    line: int
    not_run: bool
    adjacent: bool


class Snippet(NamedTuple):
    """Something to run or, with a `file` name, to save. `printed`: what it prints, if the page says so."""

    language: str
    text: str
    line: int
    file: str | None
    printed: str | None


def page_name(page: Path) -> str:
    """The path as a reader of the project knows it."""
    return page.relative_to(ROOT).as_posix()


def blocks(markdown: str) -> list[Block]:
    """All fenced blocks of a page."""
    found: list[Block] = []
    end = 0
    for fence in _FENCE.finditer(markdown):
        between = markdown[end : fence.start()]
        line = markdown.count("\n", 0, fence.start()) + 1
        skipped = _NOT_RUN.search(between) is not None
        found.append(Block(fence[1], fence[2], line, skipped, bool(end) and not between.strip()))
        end = fence.end()
    return found


def snippets(markdown: str) -> list[Snippet]:
    """What a page lets its reader run, in order."""
    found: list[Snippet] = []
    fenced = blocks(markdown)
    for block, after in zip(fenced, [*fenced[1:], None], strict=False):
        if block.language in ("python", "sh") and not block.not_run:
            printed = after.text if after and after.language == "text" and after.adjacent else None
            name = _FILE_NAME.match(block.text) if block.language == "python" else None
            found.append(Snippet(block.language, block.text, block.line, name and name[1], printed))
    return found


def prose(markdown: str) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", markdown)


def agrees(expected: str, printed: str) -> bool:
    """Whether what was printed is what the page shows, with `…` for what differs from run to run."""
    lines = expected.strip("\n").split("\n")
    pattern = "".join(_line_pattern(line) for line in lines)
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def _line_pattern(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    return r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
