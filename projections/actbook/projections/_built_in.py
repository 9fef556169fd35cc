"""The projections that come with actbook."""

from __future__ import annotations

from actbook.projections._executions import Executions
from actbook.projections._graphs import Graphs
from actbook.projections._node_executions import NodeExecutions
from actbook.projections._outputs import Outputs
from actbook.projections._projection import Projection
from actbook.projections._reviews import Reviews
from actbook.projections._schedules import Schedules
from actbook.projections._usage import Usage

BUILT_IN: tuple[type[Projection], ...] = (
    Executions,
    Graphs,
    NodeExecutions,
    Outputs,
    Reviews,
    Schedules,
    Usage,
)
