"""Speed beside a peer, in one run, as a ratio. `python -m benchmarks [JOB]`."""
