"""Credentials: where their secrets are kept, which ones a graph needs, and whether a run's can be used.

A node names credentials by their metadata. The secrets stay in the store until right before a block's code starts, and
reach that code only, as `context.credentials["pin"]`.
"""

from actbook.actors._credentialed_body import CredentialsError
from actbook.actors._credentials_store import CredentialsStore, CredentialsStoreError, look_up
from actbook.engine.credentials._environment import EnvironmentCredentials
from actbook.engine.credentials._first_of import FirstOf
from actbook.engine.credentials._groups import (
    CredentialsGroup,
    CredentialsInputs,
    aggregate_credentials_inputs,
    credential_inputs,
    make_node_credentials_input_map,
    with_sub_graphs,
)
from actbook.engine.credentials._key import KEY, KEY_FILE, Key, generate_key, key_from, write_key
from actbook.engine.credentials._memory import MemoryCredentials
from actbook.engine.credentials._named_only import keep_names_only
from actbook.engine.credentials._sqlite import SqliteCredentials
from actbook.engine.credentials._store_errors import CredentialsKeyError, ReadOnlyCredentialsError
from actbook.engine.credentials._validation import (
    _validate_node_input_credentials,
    asks_for_credentials,
    masks_for_child,
    validate_graph_with_credentials,
)

__all__ = [
    "KEY",
    "KEY_FILE",
    "CredentialsError",
    "CredentialsGroup",
    "CredentialsInputs",
    "CredentialsKeyError",
    "CredentialsStore",
    "CredentialsStoreError",
    "EnvironmentCredentials",
    "FirstOf",
    "Key",
    "MemoryCredentials",
    "ReadOnlyCredentialsError",
    "SqliteCredentials",
    "_validate_node_input_credentials",
    "aggregate_credentials_inputs",
    "asks_for_credentials",
    "credential_inputs",
    "generate_key",
    "keep_names_only",
    "key_from",
    "look_up",
    "make_node_credentials_input_map",
    "masks_for_child",
    "validate_graph_with_credentials",
    "with_sub_graphs",
    "write_key",
]
