"""What a caller lays over credentials pins, as it may be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actbook.engine.credentials._groups import NodeMasks, with_sub_graphs
from actbook.graphs import Block, BlockLookup, CredentialsMetaInput, Graph
from actbook.graphs._pin import credentials_struct


def keep_names_only(masks: NodeMasks, graph: Graph, lookup: BlockLookup) -> None:
    """Takes out of the values for credentials pins whatever is not metadata: a whole credential is given by mistake.

    Changes `masks`. What is no mapping stays, for validation to tell what is wrong with it.
    """
    for each in with_sub_graphs(graph):
        for node in each.nodes:
            fields = masks.get(node.id)
            block = lookup(node.block_id) if fields else None
            if fields and block is not None:
                _keep_names_only(fields, block)


def _keep_names_only(fields: dict[str, Any], block: Block) -> None:
    for pin in block.input_schema.credentials.keys() & fields.keys():
        value = fields[pin]
        if isinstance(value, Mapping):
            declared = credentials_struct(block.input_schema.fields[pin].annotation) or CredentialsMetaInput
            fields[pin] = {name: value[name] for name in declared.__struct_fields__ if name in value}
