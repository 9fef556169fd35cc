"""What an engine offers about runs before they are recorded: whether they may begin, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from actbook.engine._recordable import recordable
from actbook.engine._simulation import Simulation
from actbook.events import Create, Limits, Settings
from actbook.graphs import GraphSettings

if TYPE_CHECKING:
    from actbook.engine._host import Host
    from actbook.engine._masks import Masks
    from actbook.engine._starting_inputs import StartingInputs
    from actbook.engine.credentials import CredentialsInputs
    from actbook.graphs import Graph, Plan

_KEYS = UUID("3d0a9c0e-7a52-53c8-b7ad-63a2b2c1f6de")


class Admission(NamedTuple):
    """How a run would begin: the graph, the input of each starting node, all masks as one, and the nodes to skip."""

    graph: Graph
    starting: StartingInputs
    masks: dict[str, dict[str, Any]]
    skip: set[str]


class Admitting:
    """Part of `Engine`."""

    _host: Host

    async def admit(
        self,
        graph_id: str,
        user_id: str = "",
        inputs: Mapping[str, Any] | None = None,
        *,
        graph_version: int | None = None,
        graph_credentials_inputs: CredentialsInputs | None = None,
        nodes_input_masks: Masks | None = None,
    ) -> Admission:
        """What `add_graph_execution` would begin a run with. Records nothing and runs nothing.

        Raises what that raises: `GraphNotFoundError`, `GraphValidationError`, `ValueError`, `CredentialsStoreError`.
        """
        admitted = await self._open_host().preparation.admit(
            graph_id, user_id, inputs or {}, graph_version, graph_credentials_inputs, nodes_input_masks
        )
        return Admission(admitted.prepared.graph, admitted.starting, admitted.masks, set(admitted.skip))

    async def _request(
        self,
        graph_id: str,
        user_id: str,
        inputs: Mapping[str, Any] | None,
        *,
        graph_version: int | None = None,
        graph_credentials_inputs: CredentialsInputs | None = None,
        nodes_input_masks: Masks | None = None,
        settings: Settings | GraphSettings | None = None,
        limits: Limits | None = None,
        simulate: bool = False,
        simulation_script: Mapping[str, Any] | None = None,
        preset_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[Plan, Create]:
        """What is to be recorded of a run: the one path for submitting and for scheduling. Records nothing."""
        simulated = simulate or simulation_script is not None
        script = dict(simulation_script) if simulation_script is not None else None
        simulation = Simulation(script).to_dict() if simulated else None
        given = recordable(inputs or {})
        masks = {node: recordable(mask or {}, node) for node, mask in (nodes_input_masks or {}).items()}
        admitted = await self._open_host().preparation.admit(
            graph_id,
            user_id,
            given,
            graph_version,
            graph_credentials_inputs,
            masks or None,
            simulation,
        )
        create = Create(
            execution_id=execution_id_of(user_id, idempotency_key),
            user_id=user_id,
            inputs=given,
            starting=tuple(admitted.starting),
            credential_inputs=admitted.credential_inputs,
            masks=admitted.masks,
            skip=admitted.skip,
            settings=run_settings(settings),
            limits=limits or Limits(),
            simulation=simulation,
            preset_id=preset_id,
            idempotency_key=idempotency_key,
        )
        return admitted.prepared.plan, create

    if TYPE_CHECKING:

        def _open_host(self) -> Host: ...


def execution_id_of(user_id: str, idempotency_key: str | None) -> str:
    """The execution that a user's key means; without a key a new one."""
    if idempotency_key is None:
        return str(uuid4())
    # The length keeps one user's key from being taken for another's.
    return str(uuid5(_KEYS, f"{len(user_id)}\n{user_id}\n{idempotency_key}"))


def run_settings(settings: Settings | GraphSettings | None) -> Settings:
    """What a user set for a graph holds for a run of it as it stands."""
    if isinstance(settings, GraphSettings):
        return Settings(settings.human_in_the_loop_safe_mode, settings.sensitive_action_safe_mode)
    return settings or Settings()
