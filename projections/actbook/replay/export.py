"""Files about executions: what is recorded, in formats that others read, and a page for people.

Apart from `actbook.replay`, as whoever runs executions needs none of it.
"""

from actbook.replay._export._cloudevents import export_cloudevents
from actbook.replay._export._errors import DamagedExportError, ImportConflictError
from actbook.replay._export._import import Imported, import_cloudevents
from actbook.replay._export._ocel import export_ocel
from actbook.replay._export._selection import Selection
from actbook.replay._export._svg import svg
from actbook.replay._export._xes import export_xes
from actbook.replay._report._page import report

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
