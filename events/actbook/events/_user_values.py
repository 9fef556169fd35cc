"""Which parts of an event are values of its user, and which are structure: ids, statuses, counts, pins, times, costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from actbook.events import _execution_events as ex
from actbook.events import _inbox_events as ib
from actbook.events import _node_events as nx
from actbook.events import _revival_events as rv
from actbook.events import _schedule_events as sc
from actbook.events import _storage_events as st
from actbook.events._topics import Event

Replace = Callable[[Any], Any]
"""Gives what is to stand in the place of a value. Called in the order in which the values are encoded."""

_Walk = Callable[[Any, Replace], Any]
"""Gives a field anew, with each value in it replaced; or the field itself when there is none in it."""


def _whole(value: Any, replace: Replace) -> Any:
    """Nothing is no value: that there was no error is structure."""
    return value if value is None or value == "" else replace(value)


def _items(values: dict[str, Any] | None, replace: Replace) -> Any:
    return {name: replace(value) for name, value in values.items()} if values else values


def _masks(values: dict[str, dict[str, Any]], replace: Replace) -> Any:
    return {name: _items(inner, replace) for name, inner in values.items()} if values else values


def _pairs(values: Iterable[tuple[str, Any]], replace: Replace) -> Any:
    return tuple((pin, replace(value)) for pin, value in values) if values else values


def _walk_spec(spec: Any, replace: Replace) -> Any:
    return _walked(spec, _SPEC, replace)


_SPEC: dict[str, _Walk] = {
    "inputs": _items,
    "masks": _masks,
    "simulation_script": _items,
    "credential_inputs": _items,
}

_VALUES: dict[type[Event], dict[str, _Walk]] = {
    ex.ExecutionCreated: {
        "inputs": _items,
        "credential_inputs": _items,
        "masks": _masks,
        "simulation": _items,
    },
    ex.ExecutionStopping: {"reason": _whole},
    ex.ExecutionFailed: {"error": _whole},
    ex.ExecutionTerminated: {"reason": _whole},
    ex.ExecutionResumed: {"reason": _whole},
    ex.WarningRecorded: {"text": _whole},
    rv.ExecutionRetried: {"reason": _whole},
    rv.ExecutionForked: {"reason": _whole},
    rv.NodeRetried: {"data": _items},
    nx.NodeCreated: {"inputs": _items},
    nx.NodeInput: {"value": _whole},
    nx.LinkLatched: {"value": _whole},
    nx.NodeQueued: {"data": _items},
    nx.NodeOutput: {"outputs": _pairs},
    nx.NodeCompleted: {"outputs": _pairs},
    nx.NodeFailed: {"error": _whole, "outputs": _pairs},
    nx.NodeRetryScheduled: {"error": _whole},
    nx.NodeTerminated: {"reason": _whole},
    nx.NodeReviewRequested: {"data": _whole},
    nx.NodeReviewDecided: {"data": _whole, "message": _whole},
    ib.CancelRequested: {"reason": _whole},
    ib.ResumeRequested: {"reason": _whole},
    ib.RetryRequested: {"reason": _whole},
    ib.ChildOutput: {"value": _whole},
    ib.ChildFinished: {"error": _whole},
    ib.ReviewDecided: {"message": _whole, "data": _whole},
    sc.ScheduleAdded: {"spec": _walk_spec},
    sc.ScheduleChanged: {"spec": _walk_spec},
    sc.ScheduleRefused: {"error": _whole},
    st.ValueStored: {"value": _whole},
}
_PLANS: dict[type[Any], tuple[tuple[str, _Walk | None], ...]] = {}


def may_hold_values(payload: Event) -> bool:
    """False for events that are structure alone."""
    return type(payload) in _VALUES


def fields_with(payload: Event, replace: Replace) -> list[Any]:
    """The fields in their order, each value of the user in them replaced."""
    return _walked(payload, _VALUES[type(payload)], replace)


def without_values(payload: Event, stand_in: str) -> Event:
    """The same event with `stand_in` for each value of the user."""
    walks = _VALUES.get(type(payload))
    if walks is None:
        return payload
    fields = _walked(payload, walks, lambda _value: stand_in)
    if "spec" in walks:
        payload_fields = dict(zip(payload.__struct_fields__, fields, strict=True))
        payload_fields["spec"] = type(payload.spec)(*payload_fields["spec"])  # type: ignore[attr-defined]
        fields = list(payload_fields.values())
    return type(payload)(*fields)


def _walked(holder: Any, walks: dict[str, _Walk], replace: Replace) -> list[Any]:
    kind = type(holder)
    plan = _PLANS.get(kind)
    if plan is None:
        plan = _PLANS[kind] = tuple((name, walks.get(name)) for name in kind.__struct_fields__)
    return [
        getattr(holder, name) if walk is None else walk(getattr(holder, name), replace) for name, walk in plan
    ]
