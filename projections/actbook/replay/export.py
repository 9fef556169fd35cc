"""Files about executions: what is recorded, in formats that others read, and a page for people.

Apart from `actbook.replay`, as whoever runs executions needs none of it.
"""

from actbook.replay._export import (
    DamagedExportError,
    Imported,
    ImportConflictError,
    Selection,
    export_cloudevents,
    export_ocel,
    export_xes,
    import_cloudevents,
    svg,
)
from actbook.replay._report import report

__all__ = [
    "DamagedExportError",
    "ImportConflictError",
    "Imported",
    "Selection",
    "export_cloudevents",
    "export_ocel",
    "export_xes",
    "import_cloudevents",
    "report",
    "svg",
]
