"""Recipes: experiments of settings and of the user's own parts.

A preset is a recipe of ours; a user's parts are imported by reference and
checked before a run starts.
"""
