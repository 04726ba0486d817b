"""Roles: the parts of a run, one class each.

A role knows no engine: it calls other roles as peers, and a runtime runs it.
"""
