"""Measurements against the budgets. Not timed tests: `make bench` runs them, results lie in `benchmarks/results`."""
