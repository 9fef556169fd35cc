"""`actbook prove …`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import DEFAULTS, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actbook.replay import Checkpoints
    from actbook.replay.proof import Checkpoint

KeyFile = Annotated[Path | None, Parameter(name="--key-file")]


def keygen(*, name: str = "", key_file: KeyFile = None, options: Options = DEFAULTS) -> int:
    """Makes a key that signs checkpoints, and prints its public half, to be given to whoever checks them.

    Parameters
    ----------
    name
        What to call the log of this store in its checkpoints. A name by chance by default.
    key_file
        Where the secret key goes; ~/.config/actbook/checkpoint.key by default. Only its owner can read it.
    """
    import secrets

    from actbook.cli._printing import note, print_json
    from actbook.replay import SigningKey, write_signing_key

    key = SigningKey.generate(name or f"actbook-{secrets.token_hex(4)}")
    path = key_file or default_key_file()
    write_signing_key(path, key)
    if options.output == "json":
        print_json({"public_key": str(key.public), "file": str(path)})
    else:
        note(
            f"The secret key is in {path}. Give this public key to whoever checks checkpoints:",
            options.output,
        )
        print(key.public)
    return ExitCode.OK


def checkpoint(*, key_file: KeyFile = None, to: Path | None = None, options: Options = DEFAULTS) -> int:
    """Signs everything that is recorded until now. Keep what it prints where nobody who can write to the store can.

    Parameters
    ----------
    key_file
        The secret key. By default ACTBOOK_CHECKPOINT_KEY, ACTBOOK_CHECKPOINT_KEY_FILE, or ~/.config/actbook/checkpoint.key.
    to
        Writes the checkpoint into this file too.
    """
    from actbook.cli._printing import print_ids, print_json

    key = key_of(key_file)
    with _checkpoints(options) as checkpoints:
        signed = checkpoints.write(key)
    if to is not None:
        to.write_text(signed.text, encoding="utf-8")
    if options.output == "json":
        print_json(_record(signed))
    elif options.output == "ids":
        print_ids([str(signed.size)])
    else:
        print(signed.text, end="")
    return ExitCode.OK


def ls(*, options: Options = DEFAULTS) -> int:
    """Lists the checkpoints in the store, oldest first."""
    from actbook.cli._printing import print_ids, print_json

    with _checkpoints(options) as checkpoints:
        found = [_record(each) for each in checkpoints.all()]
    if options.output == "json":
        print_json(found)
    elif options.output == "ids":
        print_ids(str(each["size"]) for each in found)
    else:
        for each in found:
            print(f"{each['at'] or '':<20}  {each['size']:>9} events  {each['root']}  {each['name']}")
    return ExitCode.OK


def event(
    execution: str,
    version: int,
    /,
    *,
    content: Annotated[bool, Parameter(negative=())] = False,
    options: Options = DEFAULTS,
) -> int:
    """Proves that an event was recorded: prints what somebody else can check without the store.

    Parameters
    ----------
    execution
        An execution, by its id or the beginning of it.
    version
        Which of its events, counted from 1.
    content
        Adds what the event holds. Without it the proof shows only its hash.
    """
    from actbook.cli._ids import one_of
    from actbook.cli._session import path_of
    from actbook.replay import find_executions

    with _checkpoints(options) as checkpoints:
        path = path_of(options.store)
        found = find_executions(path, execution, options.user) if path is not None and execution else []
        _print_proof(checkpoints.prove_event(one_of(execution, found), version, content=content))
    return ExitCode.OK


def extension(older: Path, /, *, options: Options = DEFAULTS) -> int:
    """Proves that the newest checkpoint continues an older one: nothing that was signed then has changed since.

    Parameters
    ----------
    older
        File with the older checkpoint.
    """
    from actbook.cli._notes import read_checkpoint

    old = read_checkpoint(older)
    with _checkpoints(options) as checkpoints:
        _print_proof(checkpoints.prove_extension(old))
    return ExitCode.OK


def check(*proofs: Path, key: list[str] | None = None, options: Options = DEFAULTS) -> int:
    """Checks proofs. It needs no store. A copy of the file actbook/replay/proof.py does the same without actbook.

    Parameters
    ----------
    proofs
        Files with proofs.
    key
        The public key of who signs, or a file with it. Repeat it for more.
    """
    from actbook.cli._notes import read_key
    from actbook.cli._printing import print_ids, print_json
    from actbook.cli._problems import UsageError

    if not proofs or not key:
        raise UsageError("Name at least one proof, and the public key with --key.")
    keys = [read_key(each) for each in key]
    found = [_check(path, keys) for path in proofs]
    if options.output == "json":
        print_json(found)
    elif options.output == "ids":
        print_ids(each["proof"] for each in found if not each["ok"])
    else:
        for each in found:
            print(f"{'✓' if each['ok'] else '✗'} {each['proof']}  {each['message']}")
    return ExitCode.OK if all(each["ok"] for each in found) else ExitCode.FAULTY


def default_key_file() -> Path:
    """Where the key is when nobody says it."""
    from actbook.cli._vault import key_file

    return key_file().with_name("checkpoint.key")


def key_of(path: Path | None) -> Any:
    """The key that signs: of a file, the environment, or the default place. Raises `SigningKeyError`."""
    import os

    from actbook.replay import KEY, KEY_FILE, signing_key

    if path is None and not os.environ.get(KEY) and not os.environ.get(KEY_FILE):
        path = default_key_file()
    return signing_key(path)


@contextmanager
def _checkpoints(options: Options) -> Iterator[Checkpoints]:
    """Those of the store, without an engine. Raises `MissingError` or `UsageError`."""
    from actbook.cli._problems import UsageError
    from actbook.cli._session import check_exists, check_place, is_postgres, path_of
    from actbook.journal import open_store
    from actbook.replay import Checkpoints

    if path_of(options.store) is None and not is_postgres(options.store):
        raise UsageError("A store in memory has nothing to prove. Name a file with --store or ACTBOOK_STORE.")
    check_place(options.store)
    check_exists(options.store)
    store = open_store(options.store)
    try:
        with Checkpoints(store) as checkpoints:
            yield checkpoints
    finally:
        store.close()


def _record(signed: Checkpoint) -> dict[str, Any]:
    at = next((line.removeprefix("at ") for line in signed.extra if line.startswith("at ")), None)
    return {
        "name": signed.origin,
        "size": signed.size,
        "root": signed.root.hex(),
        "at": at,
        "note": signed.text,
    }


def _print_proof(proof: dict[str, Any]) -> None:
    """Always as JSON: it is for another program."""
    print(json.dumps(proof, ensure_ascii=False, indent=1))


def _check(path: Path, keys: list[Any]) -> dict[str, Any]:
    from actbook.cli._inputs import read_text
    from actbook.replay.proof import ProofError, check_proof

    try:
        document = json.loads(read_text(path))
        if not isinstance(document, dict):
            raise ProofError("That is no proof.")
        return {"proof": str(path), "ok": True, "message": check_proof(document, keys)}
    except (ProofError, json.JSONDecodeError) as error:
        return {"proof": str(path), "ok": False, "message": str(error)}
