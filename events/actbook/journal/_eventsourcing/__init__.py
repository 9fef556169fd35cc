"""The contracts of the `eventsourcing` library over the journal's tables.

Nothing else imports that library.
"""
