"""Adaptors of `Land` to the interfaces of dm_env and Gymnasium."""
