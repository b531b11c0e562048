"""Benchmarks of speed and memory: each row measures Counterpart and a reference in the same run."""
