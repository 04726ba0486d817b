"""Which tasks the agent meets next."""
