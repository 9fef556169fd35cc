"""Static links that a node's own results come back over.

A retry counter is the case: a node adds up over a link to itself, and what it adds comes over a static link that begins
downstream of it, once per round. Latched, that value would meet every sum again and the node would count for ever; so each
such value counts once, as over an ordinary link.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from ._plan_link import PlanLink


def without_latches_in_own_cycles(
    into: Mapping[str, Sequence[PlanLink]], out: Mapping[str, Sequence[PlanLink]], inputs: Collection[str]
) -> dict[str, PlanLink]:
    """The links that lose their latch, by id: static, into a node that feeds itself, from a node that it leads to.

    `inputs`: the INPUT nodes, whose values hold for the whole run.
    """
    changed: dict[str, PlanLink] = {}
    for node_id, links in out.items():
        static = [link for link in into[node_id] if link.is_static and link.source_id != node_id]
        if static and any(link.sink_id == node_id for link in links):
            below = _downstream(node_id, out)
            changed.update(
                (link.id, msgspec.structs.replace(link, is_static=False))
                for link in static
                if link.source_id in below and link.source_id not in inputs
            )
    return changed


def _downstream(node_id: str, out: Mapping[str, Sequence[PlanLink]]) -> set[str]:
    found: set[str] = set()
    waiting = [node_id]
    while waiting:
        for link in out[waiting.pop()]:
            if link.sink_id not in found:
                found.add(link.sink_id)
                waiting.append(link.sink_id)
    return found
