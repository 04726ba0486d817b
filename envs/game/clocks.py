"""The clocks of trials and episodes, and the yaw at each trial's start."""

import hashlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants

Array = Any  # NumPy between jitted functions, JAX inside.


class Clock(NamedTuple):
  """Time in the episodes of a batch, int32 [N] each.

  Attributes:
    trial: Number of the current trial, from 0.
    step: Steps taken in the current trial.
    trials: Number of trials in the episode.
    trial_steps: Number of steps in a trial.
  """

  trial: Array
  step: Array
  trials: Array
  trial_steps: Array


def tick(clock: Clock) -> tuple[Clock, Array, Array]:
  """Advances the clock by one step; works on NumPy and JAX arrays.

  Returns:
    A tuple of three: the clock, which is in the next trial where a trial ended
    (but still in the last one at an episode's end); whether a trial ended,
    bool [N]; whether the episode ended, bool [N].
  """
  step = clock.step + 1
  trial_last = step >= clock.trial_steps
  last = trial_last & (clock.trial + 1 >= clock.trials)
  goes_on = trial_last & ~last
  return (
    clock._replace(trial=clock.trial + goes_on, step=step * ~goes_on),
    trial_last,
    last,
  )


class HostClock:
  """A NumPy copy of the clock, so that the host never waits for the device.

  Trials end only by time, so both copies always agree.

  Attributes:
    now: The current time.
  """

  def __init__(self, num_envs: int):
    self.now = Clock(*(np.ones(num_envs, np.int32) for _ in range(4)))

  def tick(self, starting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Advances the clock by one step.

    Args:
      starting: Environments in which an episode starts instead (see `start`),
        bool [N].

    Returns:
      Whether a trial ended and whether the episode ended, bool [N] each.
    """
    self.now, trial_last, last = tick(self.now)
    return trial_last & ~starting, last & ~starting

  def start(
    self, env_ids: np.ndarray, trials: np.ndarray, trial_steps: np.ndarray
  ) -> None:
    """Sets the clocks of some environments to an episode's start.

    Args:
      env_ids: The environments, int [C].
      trials: Number of trials in their episodes, int [C].
      trial_steps: Number of steps in their trials, int [C].
    """
    for field, value in zip(self.now, (0, 0, trials, trial_steps), strict=True):
      field[env_ids] = value


def features(clock: Clock) -> Array:
  """Returns the agent's observation of time, float32 [N, 10].

  The columns are those of AdA (arXiv 2301.07608): the number of remaining
  trials, the current one included, one-hot from 1 to 5; whether there are more
  than 5; then, in units of the longest trial, the time until the last trial
  starts, the time left in this trial, the duration of the last trial, and the
  duration of the next trial (0 in the last).
  """
  remaining = clock.trials - clock.trial
  left = clock.trial_steps - clock.step
  until_last = jnp.where(
    remaining > 1, left + (remaining - 2) * clock.trial_steps, 0
  )
  upcoming = jnp.where(remaining > 1, clock.trial_steps, 0)
  steps = jnp.stack([until_last, left, clock.trial_steps, upcoming], axis=-1)
  return jnp.concatenate(
    [
      jax.nn.one_hot(remaining - 1, 5),
      (remaining > 5)[:, None].astype(jnp.float32),
      steps * (constants.STEP_SECONDS / constants.MAX_TRIAL_SECONDS),
    ],
    axis=-1,
    dtype=jnp.float32,
  )


def task_key(task: object) -> int:
  """Hashes a task to an integer, by its complete `repr`."""
  digest = hashlib.blake2b(repr(task).encode(), digest_size=8).digest()
  return int.from_bytes(digest, "little")


def start_yaw(
  env_seed: int, episode: int, key: int, trial: int, num_players: int
) -> np.ndarray:
  """Draws the players' yaw at the start of a trial, uniformly.

  Args:
    env_seed: Seed of the environment, from 0.
    episode: Number of the environment's episode since it got that seed, from
      0, so that a repeated task does not start in the same way.
    key: The task's key, as returned by `task_key`.
    trial: Number of the trial, from 0.
    num_players: P.

  Returns:
    Radians from -pi to pi, float32 [P].
  """

  rng = np.random.Generator(
    np.random.PCG64(np.random.SeedSequence([env_seed, episode, key, trial]))
  )
  return rng.uniform(-np.pi, np.pi, num_players).astype(np.float32)
