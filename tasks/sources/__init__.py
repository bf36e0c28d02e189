"""The task that brings data and models from outside into the store."""
