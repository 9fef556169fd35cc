"""All tables of one process, and what can be done to them. Used by one thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actbook.projections._errors import UnknownProjectionError
from actbook.projections._lane import Lane
from actbook.projections._projection import Projection
from actbook.projections._tracking import Track, Tracking


class Group(NamedTuple):
    """Tables at the same position: one read and one transaction serve them all."""

    position: int
    lanes: list[Lane]


class Lanes:
    """The projections' tables and those that are being filled beside them."""

    def __init__(self, projections: Sequence[Projection], tracking: Tracking) -> None:
        self._projections = {projection.name: projection for projection in projections}
        self.tracking = tracking
        self._lanes: dict[str, Lane] = {}
        self._generation = 0
        self.has_paused = False

    def ensure(self) -> None:
        """Creates the tables that are missing, and anew those of another version. Then loads."""
        self.tracking.create()
        with self.tracking.transaction():
            tracks = self.tracking.load()
            for name, projection in self._projections.items():
                track = tracks.get(name)
                if track is None or track.version != projection.version:
                    self._begin(name, name, paused=track.paused if track else 0)
            self._fill_gaps()
        self.load()

    def load(self) -> None:
        """Reads the tracks again; whatever was cached is forgotten."""
        connection = self.tracking.connection
        tracks = self.tracking.load().values()
        self._lanes = {
            track.name: Lane(self._projections[track.projection], track, connection)
            for track in tracks
            if track.projection in self._projections
        }
        self._generation = max((track.generation for track in tracks), default=0)
        self.has_paused = any(lane.track.paused for lane in self._lanes.values())

    def refresh(self) -> None:
        """Loads if another process paused, resumed or exchanged something."""
        if self.tracking.generation() != self._generation:
            self.load()

    def groups(self) -> list[Group]:
        """Tables that are not paused, the most advanced first."""
        groups: dict[int, Group] = {}
        for lane in self._lanes.values():
            if not lane.track.paused:
                groups.setdefault(lane.position, Group(lane.position, [])).lanes.append(lane)
        return sorted(groups.values(), key=_by_position, reverse=True)

    def positions(self) -> Mapping[str, int]:
        """Position of each projection that is not paused."""
        lanes = self._lanes.values()
        return {
            lane.track.name: lane.position for lane in lanes if not lane.track.paused and not lane.is_shadow
        }

    def all(self) -> list[Lane]:
        return list(self._lanes.values())

    def lane(self, name: str) -> Lane:
        """The table of a projection; raises `UnknownProjectionError`."""
        lane = self._lanes.get(name)
        if lane is None or lane.is_shadow:
            raise UnknownProjectionError(name, sorted(self._projections))
        return lane

    def rebuilding(self) -> frozenset[str]:
        """Names of the projections for which a table is being filled to take the place of theirs."""
        return frozenset(lane.track.projection for lane in self._lanes.values() if lane.is_shadow)

    def pause(self, name: str, paused: bool) -> None:
        """Stops or continues a projection, also for other processes and after a restart."""
        self.lane(name)
        with self.tracking.transaction():
            self.tracking.supersede()
            self.tracking.put(self.tracking.load()[name]._replace(paused=paused))
        self.load()

    def rewind(self, name: str) -> None:
        """Empties the table; it is filled again in place."""
        self.lane(name)
        with self.tracking.transaction():
            self._begin(name, name, paused=self.tracking.load()[name].paused)
        self.load()

    def rebuild(self, name: str) -> None:
        """Begins to fill a table beside the projection's; `swap` exchanges them. One that was begun before starts again."""
        self.lane(name)
        with self.tracking.transaction():
            self._begin(name, _shadow_name(name))
        self.load()

    def due(self) -> list[tuple[Lane, Lane]]:
        """Tables that caught up with the ones whose places they shall take, in pairs of old and new."""
        shadows = [lane for lane in self._lanes.values() if lane.is_shadow]
        pairs = [(self._lanes[shadow.track.projection], shadow) for shadow in shadows]
        return [(live, shadow) for live, shadow in pairs if shadow.position >= live.position]

    def swap(self) -> None:
        """Puts a table that caught up in the place of the old one."""
        due = self.due()
        if due:
            self._swap(*due[0])

    def _fill_gaps(self) -> None:
        """Begins tables again that somebody dropped. In a transaction."""
        there = self.tracking.tables()
        for track in self.tracking.load().values():
            projection = self._projections.get(track.projection)
            if projection is not None and not there.issuperset(map(track.target_of, projection.tables())):
                self._begin(track.projection, track.name, paused=track.paused)

    def _begin(self, name: str, track_name: str, *, paused: int = 0) -> None:
        """An empty table at the start of the log. In a transaction."""
        tracking, projection = self.tracking, self._projections[name]
        generation = tracking.supersede()
        target = projection.table.name
        if track_name == name:
            tracking.drop(_shadow_name(name))
            for table in projection.tables():
                tracking.connection.execute(f"DROP TABLE IF EXISTS {_beside(table.name)}")
        else:
            target = _beside(target)
        tracking.drop(track_name)
        track = Track(track_name, name, projection.version, target, 0, paused, generation)
        tracking.put(track)
        for table in projection.tables():
            tracking.connection.execute(f"DROP TABLE IF EXISTS {track.target_of(table)}")
            for statement in table.ddl(track.target_of(table), f"_{generation}"):
                tracking.connection.execute(statement)

    def _swap(self, live: Lane, shadow: Lane) -> None:
        tracking, name = self.tracking, live.track.name
        with tracking.transaction() as connection:
            for lane in (live, shadow):
                tracking.advance([lane.track.name], lane.position, lane.position, lane.track.generation)
            generation = tracking.supersede()
            for table in live.projection.tables():
                old, new = live.track.target_of(table), shadow.track.target_of(table)
                connection.execute(f"DROP TABLE IF EXISTS {old}")
                connection.execute(f"ALTER TABLE {new} RENAME TO {old}")
            connection.execute("DELETE FROM parked_events WHERE name=?", (name,))
            connection.execute("UPDATE parked_events SET name=? WHERE name=?", (name, shadow.track.name))
            tracking.drop(shadow.track.name)
            tracking.put(live.track._replace(position=shadow.position, generation=generation))
        self.load()


def _by_position(group: Group) -> int:
    return group.position


def _shadow_name(name: str) -> str:
    return f"{name}:rebuild"


def _beside(target: str) -> str:
    return f"{target}__next"
