"""What an engine offers about schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from actbook.engine._admitting import run_settings
from actbook.engine._errors import (
    EngineClosedError,
    ExecutionNotFoundError,
    IdempotencyKeyError,
    ScheduleError,
    ScheduleNotFoundError,
)
from actbook.engine.credentials import CredentialsInputs, credential_inputs
from actbook.events import (
    Cron,
    Event,
    Limits,
    Schedule,
    ScheduleAdded,
    ScheduleChanged,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSpec,
    Settings,
    as_datetime,
)
from actbook.graphs import GraphSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actbook.engine._engine import Engine
    from actbook.engine._host import Host
    from actbook.engine._masks import Masks
    from actbook.engine._schedule_store import ScheduleStore

_MOST_CAUGHT_UP = 1000


class Scheduling:
    """Part of `Engine`. In all calls a `user_id` of None acts as the operator; another user's schedule is not found."""

    _host: Host

    async def add_schedule(
        self,
        graph_id: str,
        user_id: str = "",
        *,
        cron: str,
        timezone: str = "UTC",
        inputs: Mapping[str, Any] | None = None,
        name: str = "",
        graph_version: int | None = None,
        graph_credentials_inputs: CredentialsInputs | None = None,
        nodes_input_masks: Masks | None = None,
        settings: Settings | GraphSettings | None = None,
        limits: Limits | None = None,
        missed: str = "once",
        catch_up: int = 100,
        overlap: str = "allow",
        simulate: bool = False,
        simulation_script: Mapping[str, Any] | None = None,
    ) -> Schedule:
        """Runs a saved graph whenever `cron` is due in `timezone`; returns when that is durable.

        What could not be submitted now is refused now, with the errors of `add_graph_execution`, `CronError`, `TimezoneError` or
        `ScheduleError`. `graph_version` None takes the newest version each time. `missed` says what to do about moments at which no
        owner was there: "skip", "once" (one run for all), "all" (a run for each of the newest `catch_up`). `overlap="skip"` leaves a
        moment out while the execution before is not over.
        """
        spec = ScheduleSpec(
            graph_id=graph_id,
            cron=cron,
            timezone=timezone,
            graph_version=graph_version,
            inputs=dict(inputs or {}),
            masks={node: dict(fields) for node, fields in (nodes_input_masks or {}).items()},
            settings=run_settings(settings),
            limits=limits or Limits(),
            missed=missed,  # type: ignore[arg-type]
            catch_up=catch_up,
            overlap=overlap,  # type: ignore[arg-type]
            simulate=simulate or simulation_script is not None,
            simulation_script=dict(simulation_script) if simulation_script is not None else None,
            credential_inputs=credential_inputs(graph_credentials_inputs),
        )
        await self._check_schedule(spec, user_id)
        added = ScheduleAdded(str(uuid4()), user_id, name, spec)
        schedule = await self._book().add(added)
        await self._host.clockwork.look(schedule.id)
        return schedule

    async def change_schedule(self, user_id: str | None, schedule_id: str, **changes: Any) -> Schedule:
        """Changes a schedule from now on. `changes`: arguments of `add_schedule`, those not given stay. Raises what that does."""
        schedule = await self.schedule(schedule_id, user_id)
        name = changes.pop("name", schedule.name)
        if "nodes_input_masks" in changes:
            changes["masks"] = changes.pop("nodes_input_masks")
        if "graph_credentials_inputs" in changes:
            changes["credential_inputs"] = credential_inputs(changes.pop("graph_credentials_inputs"))
        unknown = sorted(set(changes) - set(ScheduleSpec.__struct_fields__))
        if unknown:
            raise TypeError(f"A schedule has no {', '.join(unknown)}.")
        spec = msgspec.structs.replace(schedule.spec, **changes)
        await self._check_schedule(spec, schedule.user_id)
        return await self._decided(schedule, lambda _: [ScheduleChanged(user_id or "", name, spec)])

    async def schedules(self, user_id: str | None = None) -> list[Schedule]:
        """The schedules of a user, or all, oldest first; removed ones are not among them."""
        store = self._book()
        found = [await store.load(each) for each in await store.ids(user_id)]
        return [each for each in found if each is not None and each.status != "removed"]

    async def schedule(self, schedule_id: str, user_id: str | None = None) -> Schedule:
        """One schedule, a removed one too. Raises `ScheduleNotFoundError`."""
        found = await self._book().load(schedule_id)
        if found is None or user_id not in (None, found.user_id):
            raise ScheduleNotFoundError(schedule_id)
        return found

    async def pause_schedule(self, user_id: str | None, schedule_id: str) -> Schedule:
        """Runs nothing until it is resumed. Repeatable."""
        schedule = await self.schedule(schedule_id, user_id)
        return await self._decided(
            schedule, lambda now: [SchedulePaused(user_id or "")] if now.status == "active" else []
        )

    async def resume_schedule(self, user_id: str | None, schedule_id: str) -> Schedule:
        """Runs again from now on; what was due meanwhile does not count as missed. Repeatable."""
        schedule = await self.schedule(schedule_id, user_id)
        return await self._decided(
            schedule, lambda now: [ScheduleResumed(user_id or "")] if now.status == "paused" else []
        )

    async def remove_schedule(self, user_id: str | None, schedule_id: str) -> Schedule:
        """Never runs again; executions that it began go on. Repeatable."""
        schedule = await self.schedule(schedule_id, user_id)
        return await self._decided(
            schedule, lambda now: [ScheduleRemoved(user_id or "")] if now.status != "removed" else []
        )

    async def _decided(self, schedule: Schedule, decide: Callable[[Schedule], Sequence[Event]]) -> Schedule:
        def unless_removed(now: Schedule) -> Sequence[Event]:
            events = decide(now)
            if now.status == "removed" and events:
                raise ScheduleNotFoundError(now.id)
            return events

        changed = await self._book().change(schedule.id, unless_removed)
        await self._host.clockwork.look(changed.id)
        return changed

    async def _check_schedule(self, spec: ScheduleSpec, user_id: str) -> None:
        """What would be refused when it is due is refused now, on the way that a submitted run takes."""
        Cron(spec.cron, spec.timezone)
        if spec.missed not in ("skip", "once", "all"):
            raise ScheduleError("missed", spec.missed, "use 'skip', 'once' or 'all'")
        if spec.overlap not in ("allow", "skip"):
            raise ScheduleError("overlap", spec.overlap, "use 'allow' or 'skip'")
        if not 1 <= spec.catch_up <= _MOST_CAUGHT_UP:
            raise ScheduleError("catch_up", spec.catch_up, f"give a number from 1 to {_MOST_CAUGHT_UP}")
        await self._request(spec.graph_id, user_id, spec.inputs, **_options(spec))

    def _book(self) -> ScheduleStore:
        if self._host.closed:
            raise EngineClosedError
        return self._host.schedules

    if TYPE_CHECKING:

        async def _request(self, *arguments: Any, **options: Any) -> Any: ...


class ScheduledRuns:
    """Submits what schedules want, each as any other run of its user. Implements `Runs`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def submit(self, schedule: Schedule, due: int) -> str:
        """The id of the execution for that moment."""
        spec = schedule.spec
        try:
            execution = await self._engine.add_graph_execution(
                spec.graph_id,
                schedule.user_id,
                spec.inputs,
                idempotency_key=f"schedule:{schedule.id}:{as_datetime(due):%Y-%m-%dT%H:%M:%SZ}",
                **_options(spec),
            )
        except IdempotencyKeyError as error:
            # Begun before a crash, and the schedule or its graph changed since.
            return error.graph_exec_id
        return execution.id

    async def is_over(self, execution_id: str) -> bool:
        """Whether it ended, or is gone from the store."""
        try:
            return (await self._engine.get_graph_execution(execution_id)).status.is_terminal
        except ExecutionNotFoundError:
            return True


def _options(spec: ScheduleSpec) -> dict[str, Any]:
    """Arguments of `add_graph_execution`."""
    return {
        "graph_version": spec.graph_version,
        "graph_credentials_inputs": spec.credential_inputs,
        "nodes_input_masks": spec.masks,
        "settings": spec.settings,
        "limits": spec.limits,
        "simulate": spec.simulate,
        "simulation_script": spec.simulation_script,
    }
