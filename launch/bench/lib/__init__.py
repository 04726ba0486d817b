"""Shared parts of the benchmarks: clocks, subprocesses, ceilings."""
