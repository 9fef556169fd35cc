"""Options that every verb takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Group, Parameter

Output = Literal["table", "json", "ids"]

EVERYWHERE = Group("Options of every verb", sort_key=100)

Store = Annotated[
    str,
    Parameter(
        env_var="ACTBOOK_STORE",
        group=EVERYWHERE,
        help="The store: sqlite:///relative.db, sqlite:////absolute.db, or memory: for what may be forgotten.",
    ),
]
User = Annotated[
    str | None,
    Parameter(group=EVERYWHERE, help="On whose behalf. Without it you act as the operator, who sees everything."),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Where the executions are, whose they are, and how the answer is printed."""

    store: Store = "sqlite:///actbook.db"
    user: User = None
    output: Annotated[
        Output,
        Parameter(
            name=["--output", "-o"],
            group=EVERYWHERE,
            help="For people (table), for programs (json), or only ids, one a line.",
        ),
    ] = "table"


DEFAULTS = Options()
