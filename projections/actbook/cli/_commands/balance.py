"""`actbook balance …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from actbook.events import Account, Envelope


def show(*, options: Options = DEFAULTS) -> int:
    """Shows what is left of a user's credits, what was charged, and how many runs in a row there were.

    Without --user it is the balance of runs that have no user.
    """
    from actbook.cli._session import run_async

    return run_async(_show(options))


def top_up(
    amount: Annotated[float, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    reason: str = "",
    key: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Adds credits to a user's balance. Processes that run the store hear of it at once.

    Parameters
    ----------
    amount
        Credits; a negative number takes some back.
    reason
        Recorded with it.
    key
        The same key counts once, however often the command is given.
    """
    from actbook.cli._session import run_async

    return run_async(_top_up(amount, reason, key, options))


def history(*, options: Options = DEFAULTS) -> int:
    """Lists what changed a user's balance, oldest first."""
    from actbook.cli._session import run_async

    return run_async(_history(options))


async def _show(options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._session import reading

    user = options.user or ""
    async with reading(options) as engine:
        account = await engine.account(user)
    if options.output == "json":
        print_json(_account_record(user, account))
    elif options.output == "ids":
        print_ids([user])
    else:
        _print(
            f"{account.balance:.15g} credits left, {account.charged:.15g} charged, {account.count} runs in a row"
        )
    return ExitCode.OK


async def _top_up(amount: float, reason: str, key: str | None, options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._session import opened

    user = options.user or ""
    async with opened(options.store, candidate=False) as engine:
        balance = await engine.top_up(user, amount, reason, key=key)
    if options.output == "json":
        print_json({"user_id": user, "amount": amount, "key": key, "balance": balance})
    elif options.output == "ids":
        print_ids([user])
    else:
        _print(f"{balance:.15g} credits left")
    return ExitCode.OK


async def _history(options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._session import reading

    async with reading(options) as engine:
        events = await engine.balance_history(options.user or "")
    records = [_event_record(event) for event in events]
    if options.output == "json":
        print_json(records)
    elif options.output == "ids":
        print_ids(record["id"] for record in records)
    else:
        _list(records)
    return ExitCode.OK


def _account_record(user: str, account: Account) -> dict[str, Any]:
    from actbook.cli._records import iso

    return {
        "user_id": user,
        "balance": account.balance,
        "charged": account.charged,
        "topped_up": sum(account.top_ups.values()),
        "run_count": account.count,
        "last_run_at": iso(account.last_run_at),
    }


def _event_record(event: Envelope) -> dict[str, Any]:
    """One object for all kinds of events: what a kind does not have is null."""
    from actbook.cli._records import iso

    payload: Any = event.payload
    amount = getattr(payload, "amount", None)
    charged = event.topic == "balance.charged"
    return {
        "id": str(event.id),
        "at": iso(event.at),
        "topic": event.topic,
        "change": None if amount is None else -amount if charged else amount,
        "kind": getattr(payload, "kind", None),
        "key": getattr(payload, "key", None),
        "reason": getattr(payload, "reason", None) or None,
        "execution_id": getattr(payload, "execution_id", None),
        "node_exec": getattr(payload, "node_exec", None) or None,
        "graph_id": getattr(payload, "graph_id", None),
        "block_id": getattr(payload, "block_id", None) or None,
    }


def _list(records: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from actbook.cli._printing import note
    from actbook.cli._printing import show as print_table

    if not records:
        note("Nothing yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("at", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("change", no_wrap=True, justify="right")
    table.add_column("why", overflow="ellipsis", ratio=1)
    for record in records:
        change = "" if record["change"] is None else f"{record['change']:+.15g}"
        at = str(record["at"])[:19].replace("T", " ")
        table.add_row(at, record["topic"], change, _why(record))
    print_table(table)


def _why(record: dict[str, Any]) -> str:
    if record["execution_id"] is None:
        return str(record["reason"] or "")
    node = f".{record['node_exec']}" if record["node_exec"] else ""
    return f"{record['kind'] or ''} {record['execution_id']}{node}".strip()


def _print(text: str) -> None:
    from rich.text import Text

    from actbook.cli._printing import show as print_text

    print_text(Text(text))
