"""Adaptors of `Land` to the interfaces of dm_env and Gymnasium.

`registration` registers the Gymnasium ids; `first_person` draws first-person
pictures for people.
"""
