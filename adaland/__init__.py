"""An open platform for adaptive agents in procedurally generated 3D tasks."""
