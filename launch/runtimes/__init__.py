"""Runtimes: run the roles of a run and restart them.

Threads and children of one process (`local`), actors of Ray (`ray`), or one
process that does everything on one device (`single`).
"""
