"""Following an execution while it runs."""

from actbook.cli._live._follow import Follower
from actbook.cli._live._progress import NodeProgress, Progress
from actbook.cli._live._watching import progress_of, watching

__all__ = ["Follower", "NodeProgress", "Progress", "progress_of", "watching"]
