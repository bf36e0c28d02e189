"""What a worker runs: tasks, their registry and the runner."""
