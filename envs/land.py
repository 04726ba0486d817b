"""Land: a batch of environments, each playing one task after another.

One step: actions become wanted movement and hand positions (`avatar`,
`hand`), physics moves everything, the game engine (`game`) reads the outcome
and changes objects, trials and episodes start anew where they ended, and the
players look (`vision`, `observations`). Every part works on the whole batch;
environments are handled one by one only when their task or trial changes.

Trials end by time alone, so the host knows what starts without looking. What
happens otherwise is a stepper's: one for physics on the host, one for physics
on a device, which never waits for it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from adaland.envs import constants
from adaland.envs.game import clock as clock_lib
from adaland.envs.land_types import (
  LandConfig,
  Step,
  WorldView,
  observation_spec,
)
from adaland.envs.physics import backends, base
from adaland.envs.stepping import base as stepper_lib
from adaland.envs.stepping import device, host, task_rows
from adaland.envs.tasks.task import Task

__all__ = ["Land", "LandConfig", "Step", "WorldView", "observation_spec"]

_HEADS = len(constants.ACTION_SIZES)


class Land:
  """Steps N environments at once; a new task follows each episode by itself.

  Equal seeds, tasks and actions give bit-equal rollouts at any number of
  threads. A trial's start is the task's start state; only the avatars' yaw
  is drawn anew, from the environment's seed, the task and the trial's number.

  Attributes:
    num_envs: N.
    config: Sizes and the kind of observation.
    tasks: The task of each environment.
    seeds: The seed of each environment.
  """

  def __init__(
    self,
    num_envs: int,
    config: LandConfig,
    next_task: Callable[[int], Task | task_rows.Prepared],
    seed: int | Sequence[int] = 0,
  ):
    """Initializes the batch; `reset` loads the first tasks.

    Args:
      num_envs: N.
      config: Sizes and the kind of observation.
      next_task: Gives the next task of environment i, or what
        `task_rows.prepare` made of it.
      seed: Of each environment; one number s stands for s, s + 1, ...
    """
    if num_envs < 1:
      raise ValueError(f"num_envs is {num_envs}, allowed: 1 or more")
    self.num_envs = num_envs
    self.seed(seed)
    self.config = config
    self.tasks: list[Task] = []
    self._next_task = next_task
    physics: Any = backends.make(
      config.backend,
      num_envs,
      config.num_slots,
      config.num_players,
      config.num_threads,
      config.device,
    )
    # Whether what the players see, and what that is made from, stays with JAX
    # on the device of the physics.
    self._stays = config.backend == "gpu"
    kind = device.DeviceStepper if self._stays else host.HostStepper
    self._stepper: stepper_lib.Stepper = kind(num_envs, config, physics)
    self._clock = clock_lib.HostClock(num_envs)
    self._none = np.zeros(num_envs, bool)
    self._ended = self._none

  @property
  def physics(self) -> base.Physics:
    """The back end, for measurements and tests."""
    return self._stepper.physics

  @physics.setter
  def physics(self, physics: base.Physics) -> None:
    self._stepper.physics = physics

  @property
  def dropped_spawns(self) -> np.ndarray:
    """Objects that rules should have made in this episode but for which no
    slot was free, int64 [N]; to ask waits for the device.
    """
    return self._stepper.dropped_spawns()

  def seed(self, seed: int | Sequence[int]) -> None:
    """Gives the environments new seeds, which count from the next trial on.

    Args:
      seed: Of each environment; one number s stands for s, s + 1, ...
    """
    if isinstance(seed, int):
      seed = range(seed, seed + self.num_envs)
    if len(seed) != self.num_envs or min(seed) < 0:
      raise ValueError(
        f"seed is {seed}, allowed: {self.num_envs} whole numbers from 0"
      )
    self.seeds = tuple(seed)

  def reset(self) -> Step:
    """Starts a new episode in every environment."""
    everywhere = ~self._none
    self._ended = self._none
    shown = self._stepper.reset(self._starts(self._none, everywhere))
    return self._step(shown, everywhere, self._none, self._none)

  def step(self, actions: np.ndarray | jax.Array) -> Step:
    """Takes one action in every environment.

    Where the step before was an episode's last, the action is ignored and
    the next task's episode starts.

    Args:
      actions: Indices of the six heads, int [N, 6], or [N, P, 6]. The range of
        JAX's arrays is not checked on the gpu back end, as nothing there may
        wait for the device.
    """
    actions = self._checked(actions)
    starting, trial = self._ended, self._clock.now.trial
    trial_last, last = self._clock.tick(starting)
    starts = self._starts(trial_last & ~last, starting)
    self._ended = last
    shown = self._stepper.step(actions, trial, starts)
    return self._step(shown, starting, last, trial_last)

  def state_view(self, env: int) -> WorldView:
    """The whole truth about one environment now; waits for the device."""
    stepper = self._stepper
    session, game = jax.tree.map(np.asarray, stepper.session), stepper.rows.game
    state = stepper.state()
    x, y = game.tiles[env]
    trials = self.tasks[env].trials
    return WorldView(
      slot_types=session.slot_types[env].copy(),
      frozen=session.frozen[env].copy(),
      object_pos=state.object_pos[env].copy(),
      object_quat=state.object_quat[env].copy(),
      held=session.hand.held[env].copy(),
      hand_distance=session.hand.distance[env].copy(),
      player_pos=state.player_pos[env].copy(),
      yaw=state.player_yaw[env].copy(),
      pitch=session.pitch[env].copy(),
      visible=session.visible[env].copy(),
      trial=int(session.clock.trial[env]),
      step=int(session.clock.step[env]),
      heights=game.heights[env, :x, :y].copy(),
      ramps=game.ramps[env, :x, :y].copy(),
      trial_rewards=stepper.trial_rewards()[env, :trials].copy(),
      fired=stepper.fired()[env].copy(),
    )

  def _checked(self, actions: Any) -> Any:
    shape = (self.num_envs, self.config.num_players, _HEADS)
    on_device = self._stays and isinstance(actions, jax.Array)
    if not on_device:
      actions = np.asarray(actions, np.int32)
    if actions.shape == (self.num_envs, _HEADS) and shape[1] == 1:
      actions = actions[:, None]
    if actions.shape != shape:
      raise ValueError(f"actions have shape {actions.shape}, allowed: {shape}")
    if on_device:
      return actions.astype(np.int32)
    if (actions < 0).any() or (actions >= constants.ACTION_SIZES).any():
      raise ValueError(
        "actions are out of range, allowed: from 0 to below "
        f"{constants.ACTION_SIZES}"
      )
    return actions

  def _starts(
    self, next_trial: np.ndarray, episode: np.ndarray
  ) -> stepper_lib.Starts:
    """What starts anew where trials and episodes do, bool [N] each."""
    keys = self._stepper.rows.keys
    tasks = {int(i): self._prepared(int(i)) for i in np.flatnonzero(episode)}
    if tasks:
      rows = [task.row for task in tasks.values()]
      self._clock.start(
        np.flatnonzero(episode),
        np.stack([row.trials for row in rows]),
        np.stack([row.trial_steps for row in rows]),
      )
    trial, num_players = self._clock.now.trial, self.config.num_players
    env_ids = np.flatnonzero(next_trial | episode)
    yaw = np.zeros((len(env_ids), num_players), np.float32)
    for row, i in enumerate(env_ids.tolist()):
      key = tasks[i].key if i in tasks else keys[i]
      yaw[row] = clock_lib.start_yaw(
        self.seeds[i], key, int(trial[i]), num_players
      )
    return stepper_lib.Starts(
      next_trial, episode, env_ids, yaw, list(tasks.values())
    )

  def _prepared(self, env: int) -> task_rows.Prepared:
    """The next task of an environment."""
    task = self._next_task(env)
    if isinstance(task, Task):
      task = task_rows.prepare(task, self.config)
    if env < len(self.tasks):
      self.tasks[env] = task.task
    else:
      self.tasks.append(task.task)  # The first ones come in order.
    return task

  def _step(
    self,
    shown: stepper_lib.Shown,
    first: np.ndarray,
    last: np.ndarray,
    trial_last: np.ndarray,
  ) -> Step:
    observation = shown.observation | self._stepper.rows.shown
    reward = shown.reward
    if self.config.num_players == 1:
      single = _single_on_device if self._stays else _single
      observation, reward = single((observation, reward))
    return Step(
      observation=observation,
      reward=reward,
      first=first,
      last=last,
      trial_last=trial_last,
      discount=np.where(last, np.float32(0), np.float32(1)),
    )


def _single(shown: Any) -> Any:
  """What the only player is shown."""
  return jax.tree.map(lambda x: x[:, 0], shown)


_single_on_device = jax.jit(_single)
