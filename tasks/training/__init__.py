"""Training loops that the method families share."""
