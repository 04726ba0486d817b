"""The task space, its simulation and the scripted expert."""
