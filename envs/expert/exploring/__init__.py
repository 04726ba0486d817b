"""Players that know what an agent is shown and find out the rest."""
