"""A link prepared for running."""

from __future__ import annotations

import msgspec

from ._graph import Link
from ._pins import base_name


class PlanLink(msgspec.Struct, frozen=True, kw_only=True):
    """`exact`: the source name is a plain pin. `is_static` is also set when the source block is static."""

    id: str
    source_id: str
    source_name: str
    sink_id: str
    sink_name: str
    is_static: bool
    exact: bool


def plan_link(link: Link, static_output: bool) -> PlanLink:
    """The link, static if it says so or if its source block is."""
    return PlanLink(
        id=link.id,
        source_id=link.source_id,
        source_name=link.source_name,
        sink_id=link.sink_id,
        sink_name=link.sink_name,
        is_static=link.is_static or static_output,
        exact=base_name(link.source_name) == link.source_name,
    )
