"""Benchmarks against a bare wire loop; `make bench` (docs/performance.md says what they measure and how)."""
