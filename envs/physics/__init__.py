"""Physics back ends behind one interface."""
