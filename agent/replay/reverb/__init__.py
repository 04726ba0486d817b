"""Replay in a Reverb server: the server's process, its owner, and clients.

Only these modules import Reverb; all others use the protocols in
`adaland.agent.replay.base`.
"""
