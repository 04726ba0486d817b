"""Recipes: experiments made of settings and of the user's own parts.

A preset is a built-in recipe; a user's parts are imported by reference and
checked before a run starts.
"""
