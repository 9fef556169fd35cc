"""Views of the events: tables that a runner keeps up with the journal, and queries over them."""

from actbook.projections._built_in import BUILT_IN
from actbook.projections._comparison import compare_views
from actbook.projections._conditions import ExecutionConditions
from actbook.projections._errors import (
    CursorError,
    LagError,
    ProjectionDefinitionError,
    ProjectionError,
    RunnerClosedError,
    SortError,
    UnknownProjectionError,
)
from actbook.projections._execution_table import EXECUTIONS
from actbook.projections._executions import Executions
from actbook.projections._graphs import GRAPHS, Graphs
from actbook.projections._latency import LATENCY
from actbook.projections._latency_rows import LatencyRow, Spread
from actbook.projections._node_executions import NODE_EXECUTIONS, NodeExecutions
from actbook.projections._outputs import OUTPUTS, Outputs
from actbook.projections._page import Page
from actbook.projections._parking import ParkedEvent
from actbook.projections._projection import Projection, handles
from actbook.projections._queries import Queries
from actbook.projections._query_rows import ExecutionRow, ExecutionTree, NodeExecutionRow, UsageRow
from actbook.projections._reviews import REVIEWS, Reviews
from actbook.projections._rows import Rows
from actbook.projections._runner import Runner
from actbook.projections._schedules import SCHEDULES, Schedules
from actbook.projections._status import Lag, ProjectionStatus
from actbook.projections._subscription import EventFilter, subscribe
from actbook.projections._table import Column, Index, Row, Table
from actbook.projections._usage import USAGE, Usage
from actbook.projections._view_rows import OutputRow, QueueRow, ReviewRow, ScheduleRow, WorkerRow
from actbook.projections._workers import WORKERS

__all__ = [
    "BUILT_IN",
    "EXECUTIONS",
    "GRAPHS",
    "LATENCY",
    "NODE_EXECUTIONS",
    "OUTPUTS",
    "REVIEWS",
    "SCHEDULES",
    "USAGE",
    "WORKERS",
    "Column",
    "CursorError",
    "EventFilter",
    "ExecutionConditions",
    "ExecutionRow",
    "ExecutionTree",
    "Executions",
    "Graphs",
    "Index",
    "Lag",
    "LagError",
    "LatencyRow",
    "NodeExecutionRow",
    "NodeExecutions",
    "OutputRow",
    "Outputs",
    "Page",
    "ParkedEvent",
    "Projection",
    "ProjectionDefinitionError",
    "ProjectionError",
    "ProjectionStatus",
    "Queries",
    "QueueRow",
    "ReviewRow",
    "Reviews",
    "Row",
    "Rows",
    "Runner",
    "RunnerClosedError",
    "ScheduleRow",
    "Schedules",
    "SortError",
    "Spread",
    "Table",
    "UnknownProjectionError",
    "Usage",
    "UsageRow",
    "WorkerRow",
    "compare_views",
    "handles",
    "subscribe",
]
