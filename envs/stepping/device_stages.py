"""The jitted stages of a step with physics on a device.

The host knows before a step in which environments trials and episodes start,
and passes this on; results known only to the device, such as objects that
appeared or vanished, stay there. One step is `control` (of `stages`), physics,
`sight_lines`, rays, `advance`, changes of physics, then `sight_lines` and rays
again where the scene is new, and `observe`.

N: environments, P: players, S: slots, R: rules, K: trials, M = P + S: nodes.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.observations import sight
from adaland.envs.stepping import env_state, stages

Array = jax.Array


class EpisodeTotals(NamedTuple):
  """Totals of the episodes so far, and the rules fired in the last step.

  Attributes:
    trial_rewards: Reward of each trial, seconds, float32 [N, K, P].
    fired: Rules that fired in the last step, bool [N, R].
    dropped: Number of spawns that found no free slot, int32 [N].
  """

  trial_rewards: Array
  fired: Array
  dropped: Array


class SightQuery(NamedTuple):
  """Lines of sight before their rays are cast.

  Attributes:
    lines: The lines between all nodes.
    wanted: Lines whose rays must be cast, bool [N, M * M].
    sure: Pairs that surely see each other, without rays, bool [N, M, M].
  """

  lines: sight.AllLines
  wanted: Array
  sure: Array


class SlotChange(NamedTuple):
  """Arguments of `physics.base.DevicePhysics.set_slots_where`."""

  changed: Array
  types: Array
  positions: Array


def zero_totals(
  num_envs: int, num_players: int, max_rules: int
) -> EpisodeTotals:
  """Returns the totals at the start of episodes."""
  return EpisodeTotals(
    trial_rewards=jnp.zeros((num_envs, constants.MAX_TRIALS, num_players)),
    fired=jnp.zeros((num_envs, max_rules), bool),
    dropped=jnp.zeros(num_envs, jnp.int32),
  )


@jax.jit
def sight_lines(
  tasks: env_state.TaskBatch,
  slot_types: Array,
  poses: avatar.Poses,
  pitch: Array,
  where: Array,
) -> SightQuery:
  """Selects the lines of sight to test.

  Args:
    tasks: The tasks.
    slot_types: Type ids in the slots, int32 [N, S].
    poses: Poses of players and objects.
    pitch: Pitch of the views, radians, float32 [N, P].
    where: Environments in which to test any, bool [N].
  """
  sources, centres, sure, pairs = sight.wanted(
    slot_types, poses, pitch, tasks.see_literals, tasks.room
  )
  wanted = pairs & where[:, None, None]
  lines = sight.all_lines(sources, centres)
  return SightQuery(lines, wanted.reshape(lines.length.shape), sure)


def _visibility(query: SightQuery, hits: tuple[Array, Array]) -> Array:
  """Returns visibility, bool [N, M, M]; correct only where it was tested."""
  pairs = query.wanted.reshape(query.sure.shape)
  return query.sure | sight.free(query.lines, *hits, pairs)


@jax.jit
def advance(
  tasks: env_state.TaskBatch,
  state: env_state.EnvState,
  totals: EpisodeTotals,
  control: tuple[Any, Array],
  poses: avatar.Poses,
  query: SightQuery,
  hits: tuple[Array, Array],
  actions: Array,
  next_trial: Array,
  starting: Array,
) -> tuple[env_state.EnvState, EpisodeTotals, SlotChange, Array, Array]:
  """Advances the game after physics, and restarts trials and episodes.

  Args:
    tasks: The tasks, already the new ones where an episode starts.
    state: The state before the step.
    totals: The totals before the step.
    control: Hands and pitch, as returned by `stages.control`.
    poses: Poses and contacts after physics.
    query: Lines of sight after physics.
    hits: Distances and nodes that their rays hit.
    actions: The actions taken, int32 [N, P, 6].
    next_trial: Environments in which another trial starts, bool [N].
    starting: Environments in which an episode starts, bool [N].

  Returns:
    The state and the totals after the step; the changes that physics has to
    make, apart from restarts; visibility, bool [N, M, M]; and the environments
    in which visibility has to be updated, bool [N].
  """
  sees, trial = _visibility(query, hits), state.clock.trial
  state, outcome = stages.advance_game(
    tasks, state, *control, poses, sees, actions, starting
  )
  change = SlotChange(outcome.changed, state.slot_types, outcome.object_pos)
  renewed = jnp.any(outcome.changed, axis=1) | next_trial | starting
  rewards = jnp.where(starting[:, None, None], 0, totals.trial_rewards)
  rewards = rewards.at[jnp.arange(len(trial)), trial].add(outcome.reward)
  dropped = jnp.where(starting, 0, totals.dropped) + outcome.dropped
  totals = EpisodeTotals(rewards, outcome.fired, dropped)
  state = env_state.restart(tasks, state, next_trial, starting)
  return state, totals, change, sees, renewed


@functools.partial(jax.jit, static_argnames=("size",))
def observe(
  tasks: env_state.TaskBatch,
  state: env_state.EnvState,
  poses: avatar.Poses,
  query: SightQuery,
  hits: tuple[Array, Array],
  sees: Array,
  renewed: Array,
  size: tuple[int, int] | None,
) -> tuple[env_state.EnvState, dict[str, Array], stages.RayRequest | None]:
  """Makes the observations; see `stages.observe_scene` for the result.

  Args:
    tasks: The tasks.
    state: The state.
    poses: Current poses and contacts.
    query: Current lines of sight.
    hits: Distances and nodes that their rays hit.
    sees: Visibility before the scene changed, bool [N, M, M].
    renewed: Environments in which visibility was updated, bool [N].
    size: Width and height of the pictures, None for entities.
  """
  sees = jnp.where(renewed[:, None, None], _visibility(query, hits), sees)
  return stages.observe_scene(tasks, state, poses, sees, size)
