"""Questions that need more than the rows of one table, as SQL."""

from __future__ import annotations

from actbook.projections._node_executions import WAITING
from actbook.projections._view_rows import REVIEW_FIELDS

GRAPH_NAME = (
    "coalesce((SELECT name FROM graphs g WHERE g.graph_id=e.graph_id AND g.version=e.graph_version), '')"
)
"""Name of the graph of execution `e`, empty when it was never saved."""

_ELSEWHERE = {
    "graph_id": "e.graph_id",
    "user_id": "e.user_id",
    "graph_name": GRAPH_NAME,
    "node_id": "coalesce(n.node_id, '')",
    "block_id": "coalesce(n.block_id, '')",
}

REVIEWS = (
    "SELECT "
    + ", ".join(_ELSEWHERE.get(name, f"r.{name}") for name in REVIEW_FIELDS)
    + " FROM reviews r JOIN executions e ON e.id=r.execution_id"
    " LEFT JOIN node_executions n ON n.execution_id=r.execution_id AND n.number=r.number"
)

_WAITING_EXECUTIONS = """
  SELECT 'execution' AS kind, e.id, e.status, e.priority, e.seq AS place,
    max(e.status_at, coalesce(e.start_at, 0)) AS since
  FROM executions e
  WHERE e.status IN ('INCOMPLETE','QUEUED','REVIEW') AND coalesce(e.start_at, 0) <= :at"""

_WAITING_NODES = f"""
  SELECT 'node', n.id, n.status, e.priority, e.seq,
    CASE n.status WHEN 'QUEUED' THEN n.queued_at ELSE coalesce(r.requested_at, n.started_at, 0) END
  FROM (SELECT * FROM node_executions WHERE {WAITING}) n
  JOIN executions e ON e.id=n.execution_id
  LEFT JOIN reviews r ON r.execution_id=n.execution_id AND r.number=n.number AND r.status='WAITING'
  WHERE e.status IN ('RUNNING','REVIEW')"""


def queue_sql(*, of_user: bool) -> str:
    """By kind, priority and status, with the one that has waited longest. Values: `at`, and `user_id` if it is of a user."""
    own = " AND e.user_id = :user_id" if of_user else ""
    return f"""WITH waiting AS ({_WAITING_EXECUTIONS}{own}
  UNION ALL{_WAITING_NODES}{own}),
ranked AS (
  SELECT *, count(*) OVER (PARTITION BY kind, status, priority) AS many,
    row_number() OVER (PARTITION BY kind, status, priority ORDER BY since, place, id) AS rank
  FROM waiting)
SELECT kind, status, priority, many, since, id FROM ranked WHERE rank = 1 ORDER BY kind, priority DESC, status"""


WORKERS = """SELECT w.worker, w.first_seen_at, w.last_seen_at, w.claims, w.ended, w.last_execution_id,
  count(e.id), min(e.claimed_at)
FROM workers w LEFT JOIN executions e ON e.worker = w.worker AND e.status = 'RUNNING'
GROUP BY w.worker ORDER BY w.last_seen_at DESC, w.worker"""

WORKERS_OF_USER = """SELECT worker, min(claimed_at), max(max(claimed_at, coalesce(ended_at, 0))), count(*),
  sum(ended_at IS NOT NULL),
  (SELECT l.id FROM executions l WHERE l.user_id = :user_id AND l.worker = e.worker ORDER BY l.claimed_at DESC, l.seq DESC LIMIT 1),
  sum(status = 'RUNNING'), min(CASE status WHEN 'RUNNING' THEN claimed_at END)
FROM executions e WHERE user_id = :user_id AND worker <> ''
GROUP BY worker ORDER BY 3 DESC, worker"""
"""From what the user's executions know of who claimed them last; the table of workers is about everybody's."""

ANCESTORS = """WITH RECURSIVE above(id) AS (
  SELECT parent_id FROM executions WHERE id = ?
  UNION SELECT p.parent_id FROM executions p JOIN above a ON p.id = a.id)"""

BELOW = "WITH RECURSIVE below(id) AS (SELECT ? UNION SELECT c.id FROM executions c JOIN below b ON c.parent_id=b.id)"
