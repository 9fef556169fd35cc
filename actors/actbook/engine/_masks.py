"""Masks: values that a caller lays over the constants and inputs of single nodes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Masks = Mapping[str, Mapping[str, Any]]
"""Node id → pin → value."""


def _merge_nodes_input_masks(a: Masks | None, b: Masks | None) -> dict[str, dict[str, Any]]:
    """Both masks as one, field by field; `b` wins. Neither is changed, and nothing is shared with them."""
    merged: dict[str, dict[str, Any]] = {}
    for masks in (a, b):
        for node_id, fields in (masks or {}).items():
            merged.setdefault(node_id, {}).update(deepcopy(dict(fields)))
    return merged
