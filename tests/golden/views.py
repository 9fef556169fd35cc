"""What the views of a version make of its golden journal, in a file beside it.

`python -m tests.golden.views` writes the file of this version.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.golden.journal import FOLDER, Golden, read
from tests.projections.recording import Tables

from actbook.projections import BUILT_IN

Views = dict[str, dict[str, Any]]
"""By projection: its `version`, and its `tables` with their rows."""


def views_of(golden: Golden) -> Views:
    """Filled by the code as it is now."""
    with Tables() as tables:
        tables.apply(list(golden.events()))
        return {
            projection.table.name: {
                "version": projection.version,
                "tables": {table.name: tables.rows(table.name) for table in projection.tables()},
            }
            for projection in BUILT_IN
        }


def views_beside(journal: Path) -> Path:
    return journal.with_suffix(".views.json")


def write_views(journal: Path) -> None:
    """Written again with a journal, and when a projection's version was raised before a release."""
    text = json.dumps(views_of(read(journal)), ensure_ascii=False, indent=0)
    views_beside(journal).write_text(text + "\n", "utf-8")


def read_views(journal: Path) -> Views:
    found: Views = json.loads(views_beside(journal).read_text("utf-8"))
    return found


if __name__ == "__main__":
    write_views(FOLDER / f"{version('actbook')}.jsonl")
