"""Speed, as ratios measured in one run on PostgreSQL and Redis; `make bench` writes `docs/benchmarks.md`."""
