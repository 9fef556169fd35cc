"""A report of an execution: one HTML file. The door is `actbook.replay.export`."""
