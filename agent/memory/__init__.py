"""Memory cores behind one interface."""
