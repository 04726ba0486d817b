"""Co-players of the agent, which play the second player of some tasks.

N: environments, R = 2 N: rows, with an environment's players next to each
other, A: action heads.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import acting, types
from adaland.curriculum import coplayers
from adaland.envs import constants, land
from adaland.launch.acting import rollout

# A snapshot acts in one _PART-th of the environments at once. All calls have
# the same size, so that only one program is compiled.
_PART = 8


class CoplayerSeats:
  """The second players of N environments, where the agent does not play them.

  Snapshots of the agent act with their own memory; environments with the same
  snapshot are batched.

  Args:
    functions: The agent's acting functions.
    snapshot: Returns the parameters of a snapshot by its number.
    num_envs: N.
    pool_size: Number of snapshots kept on the device; exceeded only by those
      that play.
    action_sizes: Sizes of the action heads.
    seed: Seed of the actions.
    device: Device of the arrays.

  Attributes:
    coplayers: Each environment's co-player; see `curriculum.coplayers`.
    state: State of the snapshots' acting.
  """

  def __init__(
    self,
    functions: acting.ActorCore,
    snapshot: Callable[[int], types.Params],
    num_envs: int,
    pool_size: int,
    action_sizes: Sequence[int],
    seed: int,
    device: jax.Device,
  ):
    self._functions = functions
    self._snapshot = snapshot
    self._pool_size = pool_size
    self._sizes = tuple(action_sizes)
    self._seed = seed
    self._device = device
    # Draws that differ from the agent's.
    key = jax.random.fold_in(jax.random.PRNGKey(seed), 2)
    self._key = jax.device_put(key, device)
    self._params: dict[int, types.Params] = {}
    self._at_once = -(-num_envs // _PART)
    self.coplayers = np.full(num_envs, coplayers.SELF)
    self.state: Any = jax.device_put(functions.init(num_envs), device)

  def seat(self, env: int, coplayer: int) -> None:
    """Gives an environment's second player to a co-player."""
    self.coplayers[env] = coplayer
    if coplayer >= coplayers.FIRST_SNAPSHOT and coplayer not in self._params:
      params = self._snapshot(coplayer)
      self._params[coplayer] = jax.device_put(params, self._device)
    playing = self.playing
    # Oldest first; those that play stay.
    for number in sorted(self._params):
      if len(self._params) > self._pool_size and number not in playing:
        del self._params[number]

  @property
  def playing(self) -> set[int]:
    """Numbers of the snapshots that play."""
    numbers = self.coplayers[self.coplayers >= coplayers.FIRST_SNAPSHOT]
    return set(numbers.tolist())

  def guide(
    self, guidance: rollout.Guidance, step: land.Step, time: int
  ) -> rollout.Guidance:
    """Returns guidance in which the co-players act too.

    Nothing here waits for the device.

    Args:
      guidance: Guidance of the rows without them, NumPy arrays [R, ...].
      step: The environments' latest step.
      time: Number of steps before.
    """
    acts = (self.coplayers != coplayers.SELF) & ~np.asarray(step.last)
    given, action = guidance.given.copy(), np.array(guidance.action)
    given[1::2] |= acts
    drawn = guidance.drawn.copy()
    drawn[1::2] &= ~acts
    rng = np.random.default_rng((self._seed, time))
    draws = rng.integers(0, self._sizes, (len(acts), len(self._sizes)))
    for coplayer, actions in (
      (coplayers.NOOP, np.array(constants.NOOP_ACTION)),
      (coplayers.RANDOM, draws),
    ):
      seats = (self.coplayers == coplayer)[:, None]
      action[1::2] = np.where(seats, actions, action[1::2])
    # Always on the device, so that only one program is compiled.
    acted = jax.device_put(action, self._device)
    for number in sorted(self.playing):
      seats = np.flatnonzero((self.coplayers == number) & acts)
      for start in range(0, len(seats), self._at_once):
        some = seats[start : start + self._at_once]
        acted = self._act(number, step, some, acted, time)
    return guidance._replace(given=given, action=acted, drawn=drawn)

  def _act(
    self,
    number: int,
    step: land.Step,
    seats: np.ndarray,
    action: jax.Array,
    time: int,
  ) -> jax.Array:
    """Returns the actions, with a snapshot's in some environments."""
    envs = np.full(self._at_once, len(self.coplayers), np.int32)
    envs[: len(seats)] = seats
    action, self.state = _act(
      self._functions,
      self._params[number],
      self.state,
      step.observation,
      envs,
      np.asarray(step.first),
      action,
      self._key,
      np.int32(time),
    )
    return action


@functools.partial(jax.jit, static_argnums=0, donate_argnums=2)
def _act(
  functions: acting.ActorCore,
  params: types.Params,
  state: acting.ActorState,
  observation: types.Observation,
  envs: np.ndarray,
  first: np.ndarray,
  action: jax.Array,
  key: jax.Array,
  time: np.ndarray,
) -> tuple[jax.Array, acting.ActorState]:
  """Lets a snapshot act in some environments.

  Args:
    functions: The acting functions.
    params: The snapshot's parameters.
    state: Acting state of all second players, leaves [N, ...], consumed.
    observation: Observations of all players, [N, 2, ...].
    envs: The environments; numbers past the last are ignored.
    first: True where an episode starts, bool [N].
    action: Actions of all players, [R, A].
    key: Random key.
    time: Number of steps before.

  Returns:
    The actions, with those of the snapshot, and the next state.
  """
  at_most = first.shape[0] - 1
  rows = jnp.minimum(envs, at_most)
  output, then = functions.act(
    params,
    jax.tree.map(lambda x: x[rows], state),
    {name: jnp.asarray(x)[rows, 1] for name, x in observation.items()},
    first[rows],
    # Rows of one call draw differently; with this, calls of one step do too.
    jax.random.fold_in(jax.random.fold_in(key, time), envs[0]),
  )
  state = jax.tree.map(
    lambda x, new: x.at[envs].set(new, mode="drop"), state, then
  )
  chosen = output.action.astype(action.dtype)
  return action.at[2 * envs + 1].set(chosen, mode="drop"), state
