"""Stepper of environments whose physics runs on a device.

Nothing is copied to the host unless requested, and no step waits for the
previous one.

N: environments, P: players, S: slots.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import land_types
from adaland.envs.game import avatar
from adaland.envs.physics import base
from adaland.envs.stepping import device_stages, env_state, stages, task_rows
from adaland.envs.stepping.base import Observed, ResetPlan


class DeviceStepper:
  """A `stepping.base.Stepper`, which documents attributes and arguments."""

  def __init__(
    self,
    num_envs: int,
    config: land_types.LandConfig,
    physics: base.DevicePhysics,
  ):
    n, p = num_envs, config.num_players
    self.rows = task_rows.TaskRows(n, config)
    self.physics: Any = physics  # Its rays and steps take JAX arrays too.
    self.state = env_state.empty(n, p, config.num_slots)
    self._zero_totals = device_stages.zero_totals(n, p, config.max_rules)
    self._totals = self._zero_totals
    self._everywhere = jnp.ones(n, bool)
    self._size = config.pixels if config.observation == "pixels" else None
    if self._size:
      eyes = jnp.arange(p, dtype=jnp.int32)
      eyes = jnp.repeat(eyes, self._size[0] * self._size[1])
      self._eyes = jnp.broadcast_to(eyes[None], (n, eyes.size))
    # Poses after the last step and its changes; contacts before the changes.
    self._poses: avatar.Poses

  def reset(self, plan: ResetPlan) -> Observed:
    """Starts an episode in every environment."""
    self._totals = self._zero_totals
    self._load(plan)
    self.state = stages.restart(
      self.rows.device, self.state, plan.next_trial, plan.episode
    )
    self._restore(plan)
    self._poses = self._read_physics()
    no_visibility = jnp.zeros_like(self._poses.touching)
    return self._observe(no_visibility, self._everywhere)

  def step(
    self, actions: jax.Array, trial: np.ndarray, plan: ResetPlan
  ) -> Observed:
    """Takes one action in each environment in which no episode starts."""
    del trial  # The state has it too.
    self._load(plan)
    controls, *hand_and_pitch = stages.control(
      self.rows.device, self.state, self._poses, actions
    )
    self.physics.step(base.AvatarControl(*controls))
    poses = self._read_physics()
    query = device_stages.sight_lines(
      self.rows.device,
      self.state.slot_types,
      poses,
      hand_and_pitch[1],
      self._everywhere,
    )
    self.state, self._totals, change, sees, renewed = device_stages.advance(
      self.rows.device,
      self.state,
      self._totals,
      tuple(hand_and_pitch),
      poses,
      query,
      self._cast(query),
      actions,
      plan.next_trial,
      plan.episode,
    )
    self.physics.set_slots_where(*change)
    self._restore(plan)
    pos, feet, yaw = self.physics.poses()
    self._poses = avatar.Poses(pos, feet, yaw, poses.touching)
    return self._observe(sees, renewed)

  def _read_physics(self) -> avatar.Poses:
    """Returns poses and contacts."""
    state = self.physics.shared_state()
    return avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )

  def _load(self, plan: ResetPlan) -> None:
    """Writes the rows of new tasks to the device."""
    if plan.tasks:
      self.rows.load(np.flatnonzero(plan.episode), plan.tasks)

  def _restore(self, plan: ResetPlan) -> None:
    """Loads new worlds, and puts all starting worlds at their start."""
    if plan.tasks:
      self.physics.load(
        np.flatnonzero(plan.episode), [task.scene for task in plan.tasks]
      )
    if plan.env_ids.size:
      self.physics.restore(plan.env_ids, plan.yaw)

  def _cast(
    self, query: device_stages.SightQuery
  ) -> tuple[jax.Array, jax.Array]:
    """Casts the wanted rays; returns their distances and nodes."""
    lines = query.lines
    return self.physics.rays_where(
      lines.origins, lines.directions, lines.exclude, query.wanted
    )

  def _observe(self, sees: jax.Array, renewed: jax.Array) -> Observed:
    """Updates visibility where the scene is new, and observes."""
    tasks = self.rows.device
    query = device_stages.sight_lines(
      tasks, self.state.slot_types, self._poses, self.state.pitch, renewed
    )
    self.state, observation, rays = device_stages.observe(
      tasks,
      self.state,
      self._poses,
      query,
      self._cast(query),
      sees,
      renewed,
      self._size,
    )
    if rays is not None:
      observation = observation | {"pixels": self._draw(rays)}
    return Observed(observation, self.state.last_reward)

  def _draw(self, rays: stages.RayRequest) -> jax.Array:
    """Draws the players' pictures, uint8 [N, P, H, W, 3]."""
    hits = self.physics.rays(*rays, self._eyes, normals=True)
    scene = env_state.scene_state(self.state, self._poses)
    looks = self.rows.device.look
    return stages.draw(scene, *rays, tuple(hits), looks, self._size)

  def physics_state(self) -> base.PhysicsState:
    """Returns poses and contacts."""
    return self.physics.state()

  def trial_rewards(self) -> np.ndarray:
    """Returns the reward of each trial of the episode, seconds."""
    return np.asarray(self._totals.trial_rewards)

  def fired(self) -> np.ndarray:
    """Returns the rules that fired in the last step."""
    return np.asarray(self._totals.fired)

  def dropped_spawns(self) -> np.ndarray:
    """Returns the spawns lost in the episode so far."""
    return np.asarray(self._totals.dropped, np.int64)
