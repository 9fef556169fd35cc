"""The same acceptance cases on the other stores: who runs a graph can't tell which one it is.

The modules of the cases run them on memory. `ACTBOOK_TEST_EVERY=1` runs all of them with a broker and a bus, too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.acceptance import (
    test_failures as failures,
)
from tests.acceptance import (
    test_reviews as reviews,
)
from tests.acceptance import (
    test_running as running,
)
from tests.acceptance import (
    test_stop as stop,
)
from tests.acceptance import (
    test_sub_graphs as sub_graphs,
)
from tests.acceptance import (
    test_submit_resume as submit,
)
from tests.bridge.nats_kit import check_whole, stored
from tests.engine.kit import World, sqlite

from actbook.bridge.nats import bus_config
from actbook.engine import Engine, relay_to
from actbook.events import ExecutionStatus as S

Case = Callable[[], None]
EVERY = os.environ.get("ACTBOOK_TEST_EVERY") == "1"

CASES: list[Case] = [
    running.test_values_meet_in_order,
    running.test_what_never_completes_stays_and_the_graph_completes,
    running.test_outputs_of_a_node_travel_in_the_order_of_its_executions,
    running.test_none_on_the_exact_pin_is_delivered,
    running.test_flat_pins_build_the_value_of_a_base,
    running.test_a_tool_call_travels_to_exactly_its_node_and_pin,
    running.test_masks_are_laid_over_what_arrives,
    running.test_a_static_link_latches,
    failures.test_a_failure_goes_out_on_error_and_the_graph_goes_on,
    failures.test_a_yield_on_error_ends_the_block,
    failures.test_a_bound_ends_a_loop,
    failures.test_a_graph_has_a_time_limit,
    failures.test_a_node_has_a_time_limit,
    reviews.test_approving_with_changes_and_a_message,
    reviews.test_rejecting,
    reviews.test_what_is_not_editable,
    reviews.test_a_review_is_decided_while_other_branches_run,
    partial(reviews.test_sensitive_actions_ask_first, approved=False),
    sub_graphs.test_the_outputs_of_a_sub_graph_come_out_once_each,
    partial(sub_graphs.test_a_failed_child_is_told_by_option, told=True),
    submit.test_a_submitted_run_is_recorded_then_queued,
    submit.test_resuming_what_is_not_there,
    submit.test_a_parked_run_is_resumed_and_still_waits_for_its_reviewer,
    submit.test_many_resumes_dispatch_once,
    submit.test_a_resume_has_the_masks_of_its_run,
    partial(submit.test_a_refused_resume_tells_its_caller, status=S.FAILED),
    partial(stop.test_stopping_what_is_over_changes_nothing, status=S.TERMINATED),
    partial(stop.test_stopping_what_goes_on, status=S.QUEUED),
    partial(stop.test_stopping_what_goes_on, status=S.RUNNING),
    partial(stop.test_stopping_what_goes_on, status=S.REVIEW),
    stop.test_whose_it_is_comes_first,
    stop.test_without_waiting_it_returns_at_once_and_the_run_never_starts,
    stop.test_a_tree_stops_though_no_place_is_free,
    stop.test_without_cascade_the_children_are_left_alone,
    stop.test_a_child_of_a_stopped_root_does_not_run_again,
]


def name_of(case: Case) -> str:
    if isinstance(case, partial):
        return f"{name_of(case.func)}-{'-'.join(map(str, case.keywords.values()))}"
    return str(getattr(case, "__name__", case)).removeprefix("test_")


def every_case_on(monkeypatch: pytest.MonkeyPatch, url: str, **bridges: str) -> None:
    """Each engine that a case opens has this store, and these bridges."""
    usual = World.open

    def opened(world: World, _memory: str = "memory:", **settings: Any) -> Any:
        return usual(world, url, **settings, **bridges)

    monkeypatch.setattr(World, "open", opened)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_on_a_file(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every_case_on(monkeypatch, sqlite(tmp_path))
    case()


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_on_postgresql(case: Case, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    every_case_on(monkeypatch, postgres_url)
    case()


@pytest.mark.parametrize("case", CASES if EVERY else CASES[::5], ids=name_of)
def test_on_postgresql_with_broker_and_bus(
    case: Case, postgres_url: str, amqp_url: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = f"{nats_url}?tenant={uuid4().hex[:12]}"
    with monkeypatch.context() as patch:
        every_case_on(patch, postgres_url, broker=amqp_url, bus=bus)
        case()
    asyncio.run(everything_is_on(bus, postgres_url))


async def everything_is_on(bus: str, store: str) -> None:
    """Each recorded event once, and those of a stream in their order."""
    async with Engine.open(store, candidate=False) as engine:
        last = await engine.journal.last_position()
        relay = relay_to(bus, engine.journal, engine.worker)
        relay.start()
        try:
            await relay.wait(last, 60)
        finally:
            await relay.close()
    check_whole(await stored(bus_config(bus)), last)
