"""Steps a batch whose physics is on a device: nothing is brought to the host
but what is asked for, and no step waits for the one before.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs.game import avatar
from adaland.envs.land_types import LandConfig
from adaland.envs.physics import base
from adaland.envs.stepping import device_stages, stages
from adaland.envs.stepping import env_state as session_lib
from adaland.envs.stepping.base import Shown, Starts
from adaland.envs.stepping.task_rows import TaskRows


class DeviceStepper:
  """See `stepper.Stepper`, which has the arguments and attributes too."""

  def __init__(
    self, num_envs: int, config: LandConfig, physics: base.DevicePhysics
  ):
    n, p = num_envs, config.num_players
    self.rows = TaskRows(n, config)
    self.physics: Any = physics  # Its rays and steps take JAX's arrays too.
    self.session = session_lib.empty(n, p, config.num_slots)
    self._nothing = device_stages.no_tally(n, p, config.max_rules)
    self._tally = self._nothing
    self._everywhere = jnp.ones(n, bool)
    self._size = config.pixels if config.observation == "pixels" else None
    if self._size:
      eyes = jnp.arange(p, dtype=jnp.int32)
      eyes = jnp.repeat(eyes, self._size[0] * self._size[1])
      self._eyes = jnp.broadcast_to(eyes[None], (n, eyes.size))
    # Those of the last step, after what changed; who touches whom is of before.
    self._poses: avatar.Poses

  def reset(self, starts: Starts) -> Shown:
    """Starts an episode everywhere."""
    self._tally = self._nothing
    self._load(starts)
    self.session = stages.restart(
      self.rows.device, self.session, starts.next_trial, starts.episode
    )
    self._restore(starts)
    self._poses = self._look_around()
    nobody = jnp.zeros_like(self._poses.touching)
    return self._observe(nobody, self._everywhere)

  def step(
    self, actions: jax.Array, trial: np.ndarray, starts: Starts
  ) -> Shown:
    """Takes one action where no episode starts."""
    del trial  # The session has it too.
    self._load(starts)
    wanted, *control = stages.control(self.session, self._poses, actions)
    self.physics.step(base.AvatarControl(*wanted))
    poses = self._look_around()
    look = device_stages.look(
      self.rows.device,
      self.session.slot_types,
      poses,
      control[1],
      self._everywhere,
    )
    self.session, self._tally, change, sees, anew = device_stages.advance(
      self.rows.device,
      self.session,
      self._tally,
      tuple(control),
      poses,
      look,
      self._cast(look),
      actions,
      starts.next_trial,
      starts.episode,
    )
    self.physics.set_slots_where(*change)
    self._restore(starts)
    pos, feet, yaw = self.physics.poses()
    self._poses = avatar.Poses(pos, feet, yaw, poses.touching)
    return self._observe(sees, anew)

  def _look_around(self) -> avatar.Poses:
    """Where everything is, and who touches whom."""
    state = self.physics.shared_state()
    return avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )

  def _load(self, starts: Starts) -> None:
    """Puts the rows of new tasks on the device."""
    if starts.tasks:
      self.rows.load(np.flatnonzero(starts.episode), starts.tasks)

  def _restore(self, starts: Starts) -> None:
    """Puts worlds at their start, new ones and others."""
    if starts.tasks:
      self.physics.load(
        np.flatnonzero(starts.episode), [task.scene for task in starts.tasks]
      )
    if starts.env_ids.size:
      self.physics.restore(starts.env_ids, starts.yaw)

  def _cast(self, look: device_stages.Look) -> tuple[jax.Array, jax.Array]:
    lines = look.lines
    return self.physics.rays_where(
      lines.origins, lines.directions, lines.exclude, look.wanted
    )

  def _observe(self, sees: jax.Array, anew: jax.Array) -> Shown:
    """Looks again where something is new, and gives what is observed."""
    tasks = self.rows.device
    look = device_stages.look(
      tasks, self.session.slot_types, self._poses, self.session.pitch, anew
    )
    self.session, (observation, rays) = device_stages.observe(
      tasks,
      self.session,
      self._poses,
      look,
      self._cast(look),
      sees,
      anew,
      self._size,
    )
    if rays:
      observation = observation | {"pixels": self._draw(*rays)}
    return Shown(observation, self.session.last_reward)

  def _draw(self, origins: jax.Array, directions: jax.Array) -> jax.Array:
    """The players' pictures, uint8 [N, P, H, W, 3], along these rays."""
    hits = self.physics.rays(origins, directions, self._eyes, normals=True)
    moment = session_lib.moment(self.session, self._poses)
    return stages.draw(moment, origins, directions, tuple(hits), self._size)

  def state(self) -> base.PhysicsState:
    """Where everything is."""
    return self.physics.state()

  def trial_rewards(self) -> np.ndarray:
    """Seconds in each trial of the episode."""
    return np.asarray(self._tally.trial_rewards)

  def fired(self) -> np.ndarray:
    """Rules that fired in the last step."""
    return np.asarray(self._tally.fired)

  def dropped_spawns(self) -> np.ndarray:
    """Spawns lost in the episode."""
    return np.asarray(self._tally.dropped, np.int64)
