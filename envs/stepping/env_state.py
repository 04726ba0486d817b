"""Arrays that the jitted stages of a step read and write, besides physics.

They remain JAX arrays from step to step; the host reads what it needs.

N: environments, P: players, S: slots, R: rules.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar, clocks, engine, hands
from adaland.envs.observations import observations, vision

Array = Any  # NumPy between jitted functions, JAX inside.


class TaskBatch(NamedTuple):
  """Per-environment task data that the jitted stages read.

  Attributes:
    game: Goals, rules and terrain for the game engine.
    see_literals: Both type ids of each `see` literal, int32 [N, P+R, 2].
    room: Half the size of the arena along x and y if its ground is flat, else
      zero, metres, float32 [N, 2].
    look: Colours of the ground and the light, which pictures show.
    start_types: Type ids in the slots at a trial's start, int32 [N, S].
    start_frozen: Objects that never move, bool [N, S].
    trials: Number of trials in an episode, int32 [N].
    trial_steps: Number of steps in a trial, int32 [N].
  """

  game: engine.GameBatch
  see_literals: Array
  room: Array
  look: vision.Look
  start_types: Array
  start_frozen: Array
  trials: Array
  trial_steps: Array


class EnvState(NamedTuple):
  """State of a batch of environments between steps, besides physics.

  Attributes:
    slot_types: Type ids in the slots, int32 [N, S].
    frozen: Objects that never move, bool [N, S].
    hand: State of the hands.
    lag: Distance of held objects from the hands, metres, float32 [N, P].
    pitch: Pitch of the views, radians, float32 [N, P].
    clock: Time in the episodes.
    last_action: The last action, -1 at the start of an episode, int32
      [N, P, 6].
    last_reward: The reward that followed it, float32 [N, P].
    visible: Nodes that each player sees, bool [N, P, P+S].
  """

  slot_types: Array
  frozen: Array
  hand: hands.Hand
  lag: Array
  pitch: Array
  clock: clocks.Clock
  last_action: Array
  last_reward: Array
  visible: Array


def empty(num_envs: int, num_players: int, num_slots: int) -> EnvState:
  """Returns the state before the first `restart`."""
  n, p, s = num_envs, num_players, num_slots
  return EnvState(
    slot_types=jnp.zeros((n, s), jnp.int32),
    frozen=jnp.zeros((n, s), bool),
    hand=hands.Hand(
      held=jnp.full((n, p), -1, jnp.int32),
      distance=jnp.zeros((n, p), jnp.float32),
      offset=jnp.zeros((n, p, 3), jnp.float32),
      ready=jnp.ones((n, p), bool),
    ),
    lag=jnp.zeros((n, p), jnp.float32),
    pitch=jnp.zeros((n, p), jnp.float32),
    clock=clocks.Clock(*(jnp.ones(n, jnp.int32) for _ in range(4))),
    last_action=jnp.full((n, p, len(constants.ACTION_SIZES)), -1, jnp.int32),
    last_reward=jnp.zeros((n, p), jnp.float32),
    visible=jnp.zeros((n, p, p + s), bool),
  )


def restart(
  tasks: TaskBatch, state: EnvState, trial: Array, episode: Array
) -> EnvState:
  """Resets environments to the start of a trial or an episode.

  Args:
    tasks: The tasks, already the new ones where an episode starts.
    state: The state before.
    trial: Environments in which another trial of the same task starts; their
      clocks are already in that trial, bool [N].
    episode: Environments in which an episode starts, bool [N].
  """
  starts = trial | episode
  rows = starts[:, None]
  clock = state.clock
  return state._replace(
    slot_types=jnp.where(rows, tasks.start_types, state.slot_types),
    frozen=jnp.where(rows, tasks.start_frozen, state.frozen),
    hand=hands.empty(state.hand, rows)._replace(ready=state.hand.ready | rows),
    lag=jnp.where(rows, 0, state.lag),
    pitch=jnp.where(rows, constants.START_PITCH, state.pitch),
    clock=clocks.Clock(
      trial=jnp.where(episode, 0, clock.trial),
      step=jnp.where(episode, 0, clock.step),
      trials=jnp.where(episode, tasks.trials, clock.trials),
      trial_steps=jnp.where(episode, tasks.trial_steps, clock.trial_steps),
    ),
    last_action=jnp.where(episode[:, None, None], -1, state.last_action),
    last_reward=jnp.where(episode[:, None], 0, state.last_reward),
  )


def scene_state(
  state: EnvState, poses: avatar.Poses
) -> observations.SceneState:
  """Returns the part of the state from which observations are made."""
  return observations.SceneState(
    slot_types=state.slot_types,
    poses=poses,
    hand=state.hand,
    lag=state.lag,
    pitch=state.pitch,
    clock=state.clock,
    last_action=state.last_action,
    last_reward=state.last_reward,
  )
