"""What leaves a store as a file, and comes back. The door is `actbook.replay.export`."""
