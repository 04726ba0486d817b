"""Ways of avatars over the ground, and of plans through a world."""
