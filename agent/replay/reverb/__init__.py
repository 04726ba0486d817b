"""Replay in a Reverb server: the server's process, its owner, and clients.

The only modules that import Reverb; all others know the protocol of
`adaland.agent.replay.base`.
"""
