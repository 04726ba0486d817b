"""Land: a batch of environments, each playing one task after another.

In each step, actions become movements and hand positions (`game.avatar`,
`game.hands`), physics moves everything, the game engine (`game.engine`) applies
rules and goals, trials and episodes restart where they ended, and the players
observe (`observations`). Every part works on the whole batch; environments are
handled one by one only when their task or trial changes.

A schedule on the host knows which trials and episodes start, because trials end
only by time. A stepper does the rest: one for physics on the host, and one for
physics on a device, which never waits for the device.
"""

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import jax
import numpy as np

from adaland.envs.game import clocks
from adaland.envs.land_types import (
  BatchView,
  LandConfig,
  Step,
  WorldView,
  observation_spec,
)
from adaland.envs.observations import observations
from adaland.envs.physics import backends, base
from adaland.envs.stepping import device, forks, host, players, seeds
from adaland.envs.stepping.base import Observed, Stepper
from adaland.envs.stepping.schedule import NextTask, Schedule
from adaland.envs.tasks.task import Task

__all__ = [
  "BatchView",
  "Land",
  "LandConfig",
  "MakeLand",
  "NextTask",
  "Step",
  "WorldView",
  "maker",
  "observation_spec",
]


class Land:
  """A batch of environments that are stepped together.

  Use it through `reset`, `step` and `observation_spec`; after the end of an
  episode, the next one plays the environment's next task. Scripted players and
  videos also read `tasks`, `batch_view` and `state_view`, which agents must not
  see.

  With two players, some tasks may have only one: the other is absent. It is
  nowhere in the world, its actions have no effect, and its observations and
  rewards are zero.

  Equal seeds, tasks and actions give bit-equal rollouts for any number of
  threads. A trial starts in the task's start state, except for the avatars'
  yaw, which is drawn from the environment's seed, the number of its episode,
  the task and the trial's number.

  Attributes:
    num_envs: N.
    config: Sizes and the kind of observation.
    schedule: The schedule of tasks, trials and episodes.
    stepper: The stepper of physics and game.
  """

  def __init__(
    self,
    num_envs: int,
    config: LandConfig,
    next_task: NextTask,
    seed: int | Sequence[int] = 0,
  ):
    """Initializes the batch; `reset` loads the first tasks.

    Args:
      num_envs: N.
      config: Sizes and the kind of observation.
      next_task: Function of an environment's index that returns its next
        task, which may be prepared by `task_rows.prepare`.
      seed: Seed of each environment; one integer s means s, s + 1, ...

    Raises:
      ValueError: If the number or a seed is not allowed.
      RuntimeError: If this process is a fork of one that has environments.
    """
    forks.GUARD.check()
    self.num_envs = seeds.checked_num_envs(num_envs)
    self.config = config
    self.schedule = Schedule(num_envs, config, next_task, seed)
    physics: Any = backends.make(
      config.backend,
      num_envs,
      config.num_slots,
      config.num_players,
      config.num_threads,
      config.device,
    )
    # If so, observations stay on the device of the physics, as JAX arrays.
    self._on_device = config.backend == "gpu"
    stepper = device.DeviceStepper if self._on_device else host.HostStepper
    self.stepper: Stepper = stepper(num_envs, config, physics)

  @property
  def tasks(self) -> list[Task]:
    """The current task of each environment."""
    return self.schedule.tasks

  @property
  def present(self) -> np.ndarray:
    """Players that the current tasks have, bool [N, P]."""
    return self.schedule.present

  @property
  def seeds(self) -> tuple[int, ...]:
    """The seed of each environment."""
    return self.schedule.seeds

  @property
  def episodes(self) -> np.ndarray:
    """Episodes begun since the environments got their seeds, int64 [N]."""
    return self.schedule.episodes

  @property
  def clock(self) -> clocks.HostClock:
    """The host's clock of trials and episodes."""
    return self.schedule.clock

  @property
  def ended(self) -> np.ndarray:
    """Environments whose episode ended with the last step, bool [N]."""
    return self.schedule.ended

  @property
  def physics(self) -> base.Physics:
    """The physics back end, for measurements and tests."""
    return self.stepper.physics

  @physics.setter
  def physics(self, physics: base.Physics) -> None:
    self.stepper.physics = physics

  @property
  def dropped_spawns(self) -> np.ndarray:
    """Spawns of this episode for which no slot was free, int64 [N], as a copy.

    Reading it waits for the device.
    """
    return self.stepper.dropped_spawns()

  def observation_spec(self) -> observations.Spec:
    """Returns shape and type of each observation, without the dimension N."""
    return observation_spec(self.config)

  def seed(self, seed: int | Sequence[int | None]) -> None:
    """Sets the environments' seeds, from the next trial on.

    Args:
      seed: Seed of each environment, None to keep the current one; one integer
        s means s, s + 1, ...

    Raises:
      ValueError: If a seed is not an integer from 0; the seeds are unchanged.
    """
    self.schedule.seed(seed)

  def reset(self) -> Step:
    """Starts a new episode in every environment.

    Returns:
      The first step. Its arrays are copies that the caller may write to; only
      the gpu back end's observations and rewards, JAX arrays, are read-only.
    """
    observed = self.stepper.reset(self.schedule.reset())
    first, last, trial_last = np.zeros((3, self.num_envs), bool)
    return self._step(observed, ~first, last, trial_last)

  def step(self, actions: np.ndarray | jax.Array) -> Step:
    """Takes one action in every environment.

    If the previous step was the last of an episode, the action is ignored and
    an episode of the next task starts. If `next_task` raises an error, or
    returns a task that is refused, no environment has changed; the next call
    gets the tasks of all starting episodes again.

    Args:
      actions: Indices of the six action heads, int [N, 6] or [N, P, 6]. The
        gpu back end does not check the range of JAX arrays, because that
        would wait for the device.

    Raises:
      ValueError: If the actions have another shape, are not integers or are out
        of range, or if called before `reset`.
    """
    if not self.tasks:
      raise ValueError("step was called before reset")
    actions = players.check_actions(
      actions, self.num_envs, self.config.num_players, self._on_device
    )
    trial = self.schedule.clock.now.trial
    plan, trial_last, last = self.schedule.step()
    observed = self.stepper.step(actions, trial, plan)
    return self._step(observed, plan.episode.copy(), last, trial_last)

  def batch_view(self) -> BatchView:
    """Returns the true state of all environments; waits for the device.

    Its arrays may share memory with the environments: they are read-only, and
    valid until the next step.

    Raises:
      ValueError: If called before `reset`.
    """
    if not self.tasks:
      raise ValueError("batch_view was called before reset")
    stepper = self.stepper
    state, game = jax.tree.map(np.asarray, stepper.state), stepper.rows.game
    physics = stepper.physics_state()
    return BatchView(
      slot_types=state.slot_types,
      frozen=state.frozen,
      object_pos=physics.object_pos,
      object_quat=physics.object_quat,
      held=state.hand.held,
      hand_distance=state.hand.distance,
      player_pos=physics.player_pos,
      yaw=physics.player_yaw,
      pitch=state.pitch,
      visible=state.visible,
      trial=state.clock.trial,
      step=state.clock.step,
      trials=state.clock.trials,
      tiles=game.tiles,
      heights=game.heights,
      ramps=game.ramps,
      trial_rewards=stepper.trial_rewards(),
      fired=stepper.fired(),
      last_action=state.last_action,
      last_reward=state.last_reward,
    )

  def state_view(self, env: int) -> WorldView:
    """Returns a copy of one environment's true state; waits for the device."""
    view = self.batch_view().row(env)
    return copy.deepcopy(view)

  def _step(
    self,
    observed: Observed,
    first: np.ndarray,
    last: np.ndarray,
    trial_last: np.ndarray,
  ) -> Step:
    of_tasks = self.stepper.rows.observation
    if not self._on_device:
      of_tasks = {name: value.copy() for name, value in of_tasks.items()}
    observation, reward = observed.observation | of_tasks, observed.reward
    if not self.schedule.present.all():
      mask = players.masked_on_device if self._on_device else players.masked
      # Copied, as an accelerator may read it after the next tasks are loaded.
      present = self.schedule.present.copy()
      observation, reward = mask((observation, reward), present)
    if self.config.num_players == 1:
      single = players.single_on_device if self._on_device else players.single
      observation, reward = single((observation, reward))
    return Step(
      observation=observation,
      reward=reward,
      first=first,
      last=last,
      trial_last=trial_last,
      discount=np.where(last, np.float32(0), np.float32(1)),
    )


class MakeLand(Protocol):
  """A function that makes environments of a fixed configuration."""

  def __call__(
    self, num_envs: int, next_task: NextTask, seed: int | Sequence[int] = 0
  ) -> Land:
    """Makes a batch of environments; see `Land`."""
    ...


def maker(config: LandConfig) -> MakeLand:
  """Returns a function that makes environments, with physics on the host."""
  on_cpu = config.on_cpu()

  def make(
    num_envs: int, next_task: NextTask, seed: int | Sequence[int] = 0
  ) -> Land:
    return Land(num_envs, on_cpu, next_task, seed)

  return make
