"""How an engine is set up. Everything has a default that fits one process on one file."""

from __future__ import annotations

import re

import msgspec

from actbook.actors import Capacity, SupervisionPolicy, Timing
from actbook.blocks import Registry
from actbook.engine._notary import CheckpointPolicy
from actbook.engine._retention import RetentionPolicy
from actbook.engine.billing import Billing
from actbook.engine.credentials import CredentialsStore
from actbook.graphs import BlockLimit
from actbook.journal import Synchronous
from actbook.journal._payload_keys import PayloadKeys
from actbook.projections import Projection

_SECRET = re.compile(r"//[^,\s]*@")


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    - `registry`: the blocks of this engine; None = the standard blocks, plug-ins, and what `@block` registered
    - `credentials`: where the secrets of credentials are; None = in environment variables ACTBOOK_CREDENTIALS_NAME
    - `billing`: how runs are charged; None = they are free
    - `candidate`: may become the owner of the store; False = only reads and asks, and never runs anything
    - `take_over`: as the owner, goes on with everything unfinished; False = only with what it is asked about
    - `lease`: on a store that workers share, how long one that shows no sign of life keeps what it has claimed
    - `synchronous`: SQLite's setting; "NORMAL" may lose the last commits when the machine (not the process) dies
    - `max_active`: executions in memory at once; `drain`: how long `close` lets running bodies finish
    - `block_limits`: how many bodies of a block run at once or begin in a time, beside the limits that blocks declare
    - `checkpoints`: how often what is recorded is signed; without a key it is not
    - `retention`: which ended executions leave the store, and where they go; by default none
    - `projections`: views of one's own, kept up beside the built-in ones
    - `bus`: URL of the NATS to which every event is published; None = none
    - `broker`: URL of the RabbitMQ whose run and cancel messages it takes; None = none
    - `payload_keys`: seal values of users under a key of each, see `actbook.journal.keys`; None = nothing is sealed
    """

    registry: Registry | None = None
    credentials: CredentialsStore | None = None
    billing: Billing | None = None
    candidate: bool = True
    take_over: bool = True
    lease: float = 10.0
    synchronous: Synchronous = "FULL"
    capacity: Capacity = Capacity()
    timing: Timing = Timing()
    supervision: SupervisionPolicy = SupervisionPolicy()
    max_active: int = 10_000
    snapshot_every: int = 1000
    drain: float = 1.0
    block_limits: tuple[BlockLimit, ...] = ()
    checkpoints: CheckpointPolicy = CheckpointPolicy()
    retention: RetentionPolicy = RetentionPolicy()
    projections: tuple[type[Projection], ...] = ()
    broker: str | None = None
    bus: str | None = None
    payload_keys: PayloadKeys | None = None

    def __repr__(self) -> str:
        shown = (f"{name}={self._shown(name)}" for name in self.__struct_fields__)
        return f"EngineSettings({', '.join(shown)})"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        # Their URLs may hold passwords.
        if value is not None and name in ("broker", "bus"):
            return repr(_SECRET.sub("//***@", value))
        return repr(value)
