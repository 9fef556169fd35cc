"""Graphs: their shape, the blocks they are made of, and the rules of their pins."""

from ._block import (
    AGENT_BLOCK_ID,
    Block,
    BlockCost,
    BlockDefinitionError,
    BlockLookup,
    BlockType,
    CostType,
    Execution,
    UnknownBlock,
)
from ._context import ExecutionContext
from ._convert import ConversionError, convert, convert_noting
from ._credentials import (
    CredentialsField,
    CredentialsMetaInput,
    CredentialsType,
    credentials_meta,
    is_credentials_name,
)
from ._data_object import NO_VALUE, DataObject
from ._document import GraphFormatError
from ._errors import ActbookError
from ._exec_input import validate_exec, validate_exec_noting
from ._graph import Graph, GraphSettings, Link, Node
from ._limit import BlockLimit
from ._node_options import NodeOptions
from ._pin import MISSING, Pin
from ._pins import (
    PinPathError,
    base_name,
    is_dynamic,
    is_tool_pin,
    merge_execution_input,
    parse_execution_output,
    select_output,
)
from ._plan import Plan, PlanNode
from ._plan_link import PlanLink
from ._retry import RetryPolicy
from ._schema import PinSchema, SchemaError
from ._secret import Secret
from ._stored_credentials import (
    ApiKeyCredentials,
    Credentials,
    HostScopedCredentials,
    OAuth2Credentials,
    UserPasswordCredentials,
)
from ._structure import validate_structure
from ._structure_errors import GraphStructureError
from ._subgraph import Rebinding, bind_sub_graphs

__all__ = [
    "AGENT_BLOCK_ID",
    "MISSING",
    "NO_VALUE",
    "ActbookError",
    "ApiKeyCredentials",
    "Block",
    "BlockCost",
    "BlockDefinitionError",
    "BlockLimit",
    "BlockLookup",
    "BlockType",
    "ConversionError",
    "CostType",
    "Credentials",
    "CredentialsField",
    "CredentialsMetaInput",
    "CredentialsType",
    "DataObject",
    "Execution",
    "ExecutionContext",
    "Graph",
    "GraphFormatError",
    "GraphSettings",
    "GraphStructureError",
    "HostScopedCredentials",
    "Link",
    "Node",
    "NodeOptions",
    "OAuth2Credentials",
    "Pin",
    "PinPathError",
    "PinSchema",
    "Plan",
    "PlanLink",
    "PlanNode",
    "Rebinding",
    "RetryPolicy",
    "SchemaError",
    "Secret",
    "UnknownBlock",
    "UserPasswordCredentials",
    "base_name",
    "bind_sub_graphs",
    "convert",
    "convert_noting",
    "credentials_meta",
    "is_credentials_name",
    "is_dynamic",
    "is_tool_pin",
    "merge_execution_input",
    "parse_execution_output",
    "select_output",
    "validate_exec",
    "validate_exec_noting",
    "validate_structure",
]
