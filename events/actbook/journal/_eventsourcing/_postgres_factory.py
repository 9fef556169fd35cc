"""The factory for PostgreSQL."""

from __future__ import annotations

from urllib.parse import quote

from actbook.journal._eventsourcing._factory import JournalFactory
from actbook.journal._eventsourcing._postgres_rows import PostgresRows
from actbook.journal._eventsourcing._rows import Rows
from actbook.journal._postgres import PostgresStore


class PostgresFactory(JournalFactory):
    """Opens the journal's schema that the `POSTGRES_…` variables name, by the library's names for them."""

    POSTGRES_DBNAME = "POSTGRES_DBNAME"
    POSTGRES_HOST = "POSTGRES_HOST"
    POSTGRES_PORT = "POSTGRES_PORT"
    POSTGRES_USER = "POSTGRES_USER"
    POSTGRES_PASSWORD = "POSTGRES_PASSWORD"
    POSTGRES_SCHEMA = "POSTGRES_SCHEMA"

    def open_rows(self) -> Rows:
        name, host = self.env.get(self.POSTGRES_DBNAME), self.env.get(self.POSTGRES_HOST)
        if not name or not host:
            raise OSError(
                f"PostgreSQL database not named: set {self.POSTGRES_DBNAME} and {self.POSTGRES_HOST}"
            )
        port = (self.env.get(self.POSTGRES_PORT) or "5432").strip()
        schema = (self.env.get(self.POSTGRES_SCHEMA) or "").strip() or "actbook"
        user, password = self.env.get(self.POSTGRES_USER), self.env.get(self.POSTGRES_PASSWORD)
        login = (quote(user, safe="") if user else "") + (f":{quote(password, safe='')}" if password else "")
        at = f"{login}@" if login else ""
        return PostgresRows(
            PostgresStore(
                f"postgresql://{at}{quote(host, safe='')}:{port}/{quote(name, safe='')}?schema={schema}"
            )
        )
