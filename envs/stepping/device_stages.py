"""The jitted stages of a step where physics stays on a device.

All that the host knows before a step, where trials and episodes start, goes in
with it; what only the device knows, where objects came or went, never comes
out. So one step is `control` (of `stages`), physics, `look`, rays, `advance`,
changes of physics, `look` and rays again where something is new, `observe`.

N: environments, P: players, S: slots, R: rules, K: trials, M = P + S: nodes.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.observations import sight
from adaland.envs.stepping import env_state as session_lib
from adaland.envs.stepping import stages

Array = jax.Array


class Tally(NamedTuple):
  """What an episode has brought so far.

  Attributes:
    trial_rewards: Seconds, float32 [N, K, P].
    fired: Rules that fired in the last step, bool [N, R].
    dropped: Spawns lost for want of a slot, int32 [N].
  """

  trial_rewards: Array
  fired: Array
  dropped: Array


class Look(NamedTuple):
  """Lines of sight before rays are cast.

  Attributes:
    lines: All of them.
    wanted: Which to cast, bool [N, M * M].
    sure: Who sees whom without, bool [N, M, M].
  """

  lines: sight.AllLines
  wanted: Array
  sure: Array


class Change(NamedTuple):
  """Objects that came or went, as `physics.base.DevicePhysics` takes them."""

  changed: Array
  types: Array
  positions: Array


def no_tally(num_envs: int, num_players: int, max_rules: int) -> Tally:
  """That of new episodes."""
  return Tally(
    trial_rewards=jnp.zeros((num_envs, constants.MAX_TRIALS, num_players)),
    fired=jnp.zeros((num_envs, max_rules), bool),
    dropped=jnp.zeros(num_envs, jnp.int32),
  )


@jax.jit
def look(
  tasks: session_lib.Tasks,
  slot_types: Array,
  poses: avatar.Poses,
  pitch: Array,
  where: Array,
) -> Look:
  """Which lines of sight to test.

  Args:
    tasks: The tasks.
    slot_types: Type ids in the slots, int32 [N, S].
    poses: Where everything is.
    pitch: Of the views, float32 [N, P].
    where: In which environments, bool [N].
  """
  sources, centres, sure, pairs = sight.wanted(
    slot_types, poses, pitch, tasks.see_literals, tasks.room
  )
  wanted = pairs & where[:, None, None]
  lines = sight.all_lines(sources, centres)
  return Look(lines, wanted.reshape(lines.length.shape), sure)


def _sees(look_: Look, hits: tuple[Array, Array]) -> Array:
  """Who sees whom, bool [N, M, M]; right where it was looked."""
  pairs = look_.wanted.reshape(look_.sure.shape)
  return look_.sure | sight.free(look_.lines, *hits, pairs)


@jax.jit
def advance(
  tasks: session_lib.Tasks,
  session: session_lib.Session,
  tally: Tally,
  control: tuple[Any, Array],
  poses: avatar.Poses,
  look_: Look,
  hits: tuple[Array, Array],
  actions: Array,
  next_trial: Array,
  starting: Array,
) -> tuple[session_lib.Session, Tally, Change, Array, Array]:
  """Plays the step's end, and puts back what starts anew.

  Args:
    tasks: The tasks, new ones where an episode starts.
    session: Before the step.
    tally: Before the step.
    control: Hands and pitch, as `stages.control` gave them.
    poses: After physics.
    look_: Lines of sight then.
    hits: Of their rays, distances and nodes.
    actions: Taken, int32 [N, P, 6].
    next_trial: Where another trial starts, bool [N].
    starting: Where an episode starts, bool [N].

  Returns:
    Session and tally after the step, what physics is to change (but for the
    starts), who sees whom, and where that is to be found anew, bool [N].
  """
  sees, trial = _sees(look_, hits), session.clock.trial
  session, outcome = stages.play(
    tasks, session, *control, poses, sees, actions, starting
  )
  change = Change(outcome.changed, session.slot_types, outcome.object_pos)
  anew = jnp.any(outcome.changed, axis=1) | next_trial | starting
  rewards = jnp.where(starting[:, None, None], 0, tally.trial_rewards)
  rewards = rewards.at[jnp.arange(len(trial)), trial].add(outcome.reward)
  dropped = jnp.where(starting, 0, tally.dropped) + outcome.dropped
  session = session_lib.restart(tasks, session, next_trial, starting)
  return session, Tally(rewards, outcome.fired, dropped), change, sees, anew


@functools.partial(jax.jit, static_argnames=("size",))
def observe(
  tasks: session_lib.Tasks,
  session: session_lib.Session,
  poses: avatar.Poses,
  look_: Look,
  hits: tuple[Array, Array],
  sees: Array,
  anew: Array,
  size: tuple[int, int] | None,
) -> tuple[session_lib.Session, stages.Shown]:
  """What `stages.observe` gives.

  Args:
    tasks: The tasks.
    session: The session.
    poses: Where everything is now.
    look_: Lines of sight now.
    hits: Of their rays, distances and nodes.
    sees: Who saw whom before, bool [N, M, M].
    anew: Where it was looked again, bool [N].
    size: Of the pictures, None for entities.
  """
  sees = jnp.where(anew[:, None, None], _sees(look_, hits), sees)
  return stages.show(tasks, session, poses, sees, size)
