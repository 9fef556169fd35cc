"""`actbook credentials …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Id, Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actbook.graphs import CredentialsMetaInput

Kind = Literal["api_key", "oauth2", "user_password", "host_scoped"]
_FIELDS: dict[str, tuple[str, ...]] = {
    "api_key": ("api_key",),
    "oauth2": ("access_token", "refresh_token"),
    "user_password": ("username", "password"),
}
_OPTIONAL = ("refresh_token",)


def add(
    id: str,  # noqa: A002
    /,
    *,
    provider: str,
    type: Kind = "api_key",  # noqa: A002
    title: str | None = None,
    host: str = "",
    header: list[str] | None = None,
    scope: list[str] | None = None,
    env: list[str] | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Encrypts credentials into the file beside the store, in place of any with the same id.

    Secrets are asked for without an echo, or read from stdin: one line each, in the order access_token, refresh_token;
    username, password; each --header. They are no arguments, which other processes could read.

    Parameters
    ----------
    id
        What nodes call them by.
    provider
        For what service, as the credentials pins of blocks name it.
    type
        What kind they are of.
    title
        A name for people.
    host
        Of host_scoped ones: where the headers may be sent.
    header
        Of host_scoped ones: the name of a header. Repeat it for several.
    scope
        Of oauth2 ones: a scope that was granted. Repeat it for several.
    env
        FIELD=VARIABLE takes a secret from a variable of the environment. Repeat it for several.
    """
    from actbook.cli._problems import UsageError
    from actbook.cli._secrets import read_secrets
    from actbook.cli._session import run_async

    scoped = type == "host_scoped"
    if bool(host) != scoped or bool(header) != scoped:
        raise UsageError("--host and --header belong to --type host_scoped, both of them.")
    secrets = read_secrets(_FIELDS.get(type) or tuple(header or ()), _OPTIONAL, env or ())
    document: dict[str, Any] = {"id": id, "provider": provider, "type": type, "title": title}
    if scoped:
        document |= {"host": host, "headers": secrets}
    else:
        document |= secrets
    if type == "oauth2":
        document["scopes"] = scope or []
    return run_async(_add(document, options))


def ls(*, options: Options = DEFAULTS) -> int:
    """Lists a user's credentials, without their secrets; those in the environment too."""
    from actbook.cli._session import run_async

    return run_async(_ls(options))


def remove(*ids: Id, options: Options = DEFAULTS) -> int:
    """Forgets credentials in the file beside the store. Runs that name them fail from now on.

    Parameters
    ----------
    ids
        Credentials by id; - reads ids from stdin.
    """
    from actbook.cli._ids import ids_of
    from actbook.cli._session import run_async

    return run_async(_remove(ids_of(ids), options))


def rotate(new_key_file: Path, /, *, options: Options = DEFAULTS) -> int:
    """Encrypts everything in the file beside the store with another key. Give that one to every process from now on.

    Parameters
    ----------
    new_key_file
        File with the new key; made, with a new random key, when there is none.
    """
    from actbook.cli._session import run_async

    return run_async(_rotate(new_key_file, options))


async def _add(document: dict[str, Any], options: Options) -> ExitCode:
    from actbook.cli._printing import note
    from actbook.cli._problems import InvalidError
    from actbook.cli._session import check_place
    from actbook.cli._vault import Vault, ensure_key
    from actbook.graphs._stored_credentials import credentials_of

    check_place(options.store)
    try:
        credentials = credentials_of(document)
    except ValueError as error:
        raise InvalidError(f"{error} Give it anew.") from None
    vault = Vault(options.store)
    if vault.path is not None and (made := ensure_key()) is not None:
        note(f"A new key is in {made}. Without it nobody can read what it encrypts: keep a copy elsewhere.")
    await vault.put(options.user or "", credentials)
    _tell([credentials.meta], options)
    note(f"Credentials {credentials.id} are in {vault.path}.", options.output)
    return ExitCode.OK


async def _ls(options: Options) -> ExitCode:
    from actbook.cli._printing import note
    from actbook.cli._vault import Vault

    found = await Vault(options.store).list(options.user or "")
    if found or options.output != "table":
        _tell(found, options, several=True)
    else:
        note("No credentials. `actbook credentials add` puts some in.")
    return ExitCode.OK


async def _remove(ids: Sequence[str], options: Options) -> ExitCode:
    from actbook.cli._printing import print_ids
    from actbook.cli._problems import MissingError
    from actbook.cli._vault import Vault

    vault = Vault(options.store)
    for each in ids:
        if vault.path is None or not vault.path.exists() or not await vault.delete(options.user or "", each):
            raise MissingError(
                f"There are no credentials {each!r} in the file. `actbook credentials ls` lists what there is.",
                id=each,
            )
        if options.output == "ids":
            print_ids([each])
    return ExitCode.OK


async def _rotate(new_key_file: Path, options: Options) -> ExitCode:
    from actbook.cli._printing import note, print_json
    from actbook.cli._problems import MissingError
    from actbook.cli._vault import Vault
    from actbook.engine.credentials import key_from, write_key

    vault = Vault(options.store)
    if vault.path is None or not vault.path.exists():
        raise MissingError("There is no file with credentials beside this store.")
    store = vault.file()
    key = key_from(key_file=new_key_file) if new_key_file.exists() else write_key(new_key_file)
    count = await store.rotate(key)
    if options.output == "json":
        print_json({"key": key.id, "credentials": count})
    note(
        f"{count} credentials are encrypted with the key {key.id}. Say ACTBOOK_CREDENTIALS_KEY_FILE={new_key_file}.",
        options.output,
    )
    return ExitCode.OK


def _tell(found: Sequence[CredentialsMetaInput], options: Options, *, several: bool = False) -> None:
    from actbook.cli._printing import print_ids, print_json

    rows = [
        {"id": each.id, "provider": each.provider, "type": each.type, "title": each.title} for each in found
    ]
    if options.output == "json":
        print_json(rows if several else rows[0])
    elif options.output == "ids":
        print_ids(each.id for each in found)
    elif several:
        _show(found)


def _show(found: Sequence[CredentialsMetaInput]) -> None:
    from rich.table import Table
    from rich.text import Text

    from actbook.cli._printing import show

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("id", "provider", "type", "title"):
        table.add_column(name, no_wrap=True)
    for each in found:
        table.add_row(Text(each.id), Text(each.provider), Text(each.type), Text(each.title or ""))
    show(table)
