"""Training in one process on one device: nothing leaves it but tasks."""
