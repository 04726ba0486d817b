"""An open platform for adaptive agents in procedurally generated 3D tasks."""

from adaland.envs.adaptors import registration

registration.register_with_gymnasium()
