"""Trials and episodes: time, restarts and the avatar's yaw at each start."""

import hashlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants

Array = Any  # NumPy between jitted functions, JAX inside.


class Clock(NamedTuple):
  """Where each environment is in its episode, int32 [N] each.

  Attributes:
    trial: Trial under way, from 0.
    step: Steps taken in it.
    trials: Trials of the episode.
    trial_steps: Steps of a trial.
  """

  trial: Array
  step: Array
  trials: Array
  trial_steps: Array


def tick(clock: Clock) -> tuple[Clock, Array, Array]:
  """Lets one step pass; the same for NumPy and JAX.

  Returns:
    The clock, already in the next trial where one ended (but still in the last
    trial at an episode's end), whether a trial ended, and whether the episode
    did, bool [N].
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
  """The clock again, in NumPy: the host knows the time and asks no device.

  Trials end by time alone, so both clocks go alike.

  Attributes:
    now: Where each environment is.
  """

  def __init__(self, num_envs: int):
    self.now = Clock(*(np.ones(num_envs, np.int32) for _ in range(4)))

  def tick(self, starting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lets one step pass.

    Args:
      starting: Where an episode starts instead, see `start`, bool [N].

    Returns:
      Whether a trial ended and whether the episode did, bool [N].
    """
    self.now, trial_last, last = tick(self.now)
    return trial_last & ~starting, last & ~starting

  def start(
    self, env_ids: np.ndarray, trials: np.ndarray, trial_steps: np.ndarray
  ) -> None:
    """Starts episodes of so many trials of so many steps, int [C]."""
    for field, value in zip(self.now, (0, 0, trials, trial_steps), strict=True):
      field[env_ids] = value


def features(clock: Clock) -> Array:
  """What the agent is told of time (§1.4), float32 [N, 10].

  Trials remaining, the present one counted, one-hot from 1 to 5; whether more
  than 5; then in units of the longest trial: time until the last trial
  starts, time left in this trial, duration of the last trial, duration of the
  next trial (0 in the last).
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
  """A number for a task, from its `repr`, which for a dataclass says all."""
  digest = hashlib.blake2b(repr(task).encode(), digest_size=8).digest()
  return int.from_bytes(digest, "little")


def start_yaw(
  env_seed: int, key: int, trial: int, num_players: int
) -> np.ndarray:
  """The players' yaw at the start of a trial, uniform, float32 [P].

  Args:
    env_seed: Seed of the environment, from 0.
    key: Of the task, as `task_key` gives it.
    trial: Number of the trial, from 0.
    num_players: P.
  """
  rng = np.random.Generator(
    np.random.PCG64(np.random.SeedSequence([env_seed, key, trial]))
  )
  return rng.uniform(-np.pi, np.pi, num_players).astype(np.float32)
