"""How near the service comes to PostgreSQL's own limit: `python -m benchmarks` (see RESULTS.md)."""
