"""Comparison of evaluations: score tables, intervals, a figure."""
