"""Runtimes: run the roles of a run and restart them.

They use threads and children of one process (`local`), Ray actors (`ray`), or
one process that does everything on one device (`single`).
"""
