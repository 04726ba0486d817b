"""Benchmarks: the speed of each part, as a ratio to a ceiling of the same run.

The command is `adaland bench NAME`; `lib/` holds shared parts.
"""
