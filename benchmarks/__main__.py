"""Runs every benchmark; prints JSON lines."""

from benchmarks import actor_runtime, engine, journal, projections

for each in (engine, actor_runtime, journal, projections):
    each.main()
