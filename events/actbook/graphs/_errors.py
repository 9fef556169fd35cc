"""The one base of every error the project raises on purpose."""


class ActbookError(Exception):
    """Base of all errors raised by actbook.

    Subclasses carry their data as attributes and name the remedy in the message.
    """
