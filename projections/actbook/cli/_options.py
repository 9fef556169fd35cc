"""Options that every verb takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Group, Parameter, validators

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
    Parameter(
        group=EVERYWHERE, help="On whose behalf. Without it you act as the operator, who sees everything."
    ),
]

Broker = Annotated[
    str,
    Parameter(
        env_var="ACTBOOK_BROKER",
        help="The RabbitMQ that brings and takes messages: amqp://user:password@host:5672/.",
    ),
]

Bus = Annotated[
    str,
    Parameter(
        env_var="ACTBOOK_BUS",
        help="The NATS on which every event is published: nats://host:4222[?tenant=name].",
    ),
]

Patience = Annotated[
    float,
    Parameter(
        validator=validators.Number(gte=0),
        help="Seconds to wait for a database server that is away, or has no store yet, at the start; none with --until-idle.",
    ),
]
PATIENCE = 30.0

Id = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""An id, or `-` for those on stdin."""


@Parameter(name="*")
@dataclass(frozen=True)
class Place:
    """Where the executions are, and whose they are."""

    store: Store = "sqlite:///actbook.db"
    user: User = None


@Parameter(name="*")
@dataclass(frozen=True)
class Options(Place):
    """And how the answer is printed."""

    output: Annotated[
        Output,
        Parameter(
            name=["--output", "-o"],
            group=EVERYWHERE,
            help="For people (table), for programs (json), or only ids, one a line.",
        ),
    ] = "table"


@Parameter(name="*")
@dataclass(frozen=True)
class PictureOptions(Place):
    """And in which language a graph is printed."""

    output: Annotated[
        Literal["table", "json", "ids", "mermaid"],
        Parameter(
            name=["--output", "-o"],
            group=EVERYWHERE,
            help="A picture for people (table), Mermaid, the graph's JSON, or its node ids.",
        ),
    ] = "table"


DEFAULTS = Options()
