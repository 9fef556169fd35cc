"""Wrapped keys in memory, for stores in memory and for tests."""

from __future__ import annotations

from collections.abc import Iterable

from actbook.journal._key_ring import KeyRow


class MemoryKeyRows:
    """Gone with the process, and then so is what they sealed."""

    patience = 0.0

    def __init__(self) -> None:
        self._rows: dict[bytes, KeyRow] = {}

    def changed(self) -> bool:
        return False

    def current(self, user_id: str) -> KeyRow | None:
        return next((row for row in self._of(user_id) if not row.retired_at), None)

    def find(self, key_id: bytes) -> KeyRow | None:
        return self._rows.get(key_id)

    def add(self, row: KeyRow) -> KeyRow:
        return self.current(row.user_id) or self._rows.setdefault(row.key_id, row)

    def retire(self, user_id: str, at: int) -> int:
        living = [row for row in self._of(user_id) if not row.destroyed_at]
        self._put(row._replace(retired_at=row.retired_at or at) for row in living)
        return len(living)

    def restore(self, user_id: str) -> None:
        living = [row for row in self._of(user_id) if not row.destroyed_at]
        if living and self.current(user_id) is None:
            self._put([living[-1]._replace(retired_at=0)])

    def destroy(self, user_id: str, at: int) -> None:
        retired = [row for row in self._of(user_id) if row.retired_at and not row.destroyed_at]
        self._put(row._replace(wrapped=b"", destroyed_at=at) for row in retired)

    def destroyed(self, user_id: str) -> list[bytes]:
        return [row.key_id for row in self._of(user_id) if row.destroyed_at]

    def living(self) -> list[KeyRow]:
        return [row for row in self._rows.values() if not row.destroyed_at]

    def rewrap(self, rows: Iterable[KeyRow]) -> None:
        self._put(rows)

    def close(self) -> None:
        """They stay as long as the object does."""

    def _of(self, user_id: str) -> list[KeyRow]:
        return [row for row in self._rows.values() if row.user_id == user_id]

    def _put(self, rows: Iterable[KeyRow]) -> None:
        self._rows.update((row.key_id, row) for row in list(rows))
