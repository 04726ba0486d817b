"""Roles: the parts of a run, one class each.

A role is independent of the runtime that runs it: it calls other roles as
peers.
"""
