"""Benchmarks: the speed of each part, as a ratio to a ceiling of the same run.

`adaland bench NAME`; `lib/` holds what several of them use.
"""
