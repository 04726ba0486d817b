"""What a batch of environments remembers between steps, besides physics.

These arrays stay with JAX from step to step: the stages of a step take them
and give them back, and the host reads what it needs.

N: environments, P: players, S: slots, R: rules.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp

from adaland.envs import constants
from adaland.envs.game import avatar, engine
from adaland.envs.game import clock as clock_lib
from adaland.envs.game import hand as hand_lib
from adaland.envs.observations import observations

Array = Any  # NumPy between jitted functions, JAX inside.


class Tasks(NamedTuple):
  """What the stages must know of the tasks under way.

  Attributes:
    game: What the game engine needs.
    see_literals: Both type ids of each `see` literal, int32 [N, P+R, 2].
    room: Half the size of the room along x and y where its ground is flat,
      else zero, metres, float32 [N, 2].
    start_types: Type ids in the slots at a trial's start, int32 [N, S].
    start_frozen: Objects that never move, bool [N, S].
    trials: Of an episode, int32 [N].
    trial_steps: Steps of a trial, int32 [N].
  """

  game: engine.Game
  see_literals: Array
  room: Array
  start_types: Array
  start_frozen: Array
  trials: Array
  trial_steps: Array


class Session(NamedTuple):
  """Where each environment is.

  Attributes:
    slot_types: Type ids in the slots, int32 [N, S].
    frozen: Objects that never move, bool [N, S].
    hand: State of the hands.
    lag: How far held objects are from the hands, metres, float32 [N, P].
    pitch: Of the views, radians, float32 [N, P].
    clock: Time.
    last_action: Action before, -1 at the start of an episode, int32 [N, P, 6].
    last_reward: Reward that followed it, float32 [N, P].
    visible: Nodes that each player sees, bool [N, P, P+S].
  """

  slot_types: Array
  frozen: Array
  hand: hand_lib.Hand
  lag: Array
  pitch: Array
  clock: clock_lib.Clock
  last_action: Array
  last_reward: Array
  visible: Array


def empty(num_envs: int, num_players: int, num_slots: int) -> Session:
  """A session to call `restart` on."""
  n, p, s = num_envs, num_players, num_slots
  return Session(
    slot_types=jnp.zeros((n, s), jnp.int32),
    frozen=jnp.zeros((n, s), bool),
    hand=hand_lib.Hand(
      held=jnp.full((n, p), -1, jnp.int32),
      distance=jnp.zeros((n, p), jnp.float32),
      offset=jnp.zeros((n, p, 3), jnp.float32),
      ready=jnp.ones((n, p), bool),
    ),
    lag=jnp.zeros((n, p), jnp.float32),
    pitch=jnp.zeros((n, p), jnp.float32),
    clock=clock_lib.Clock(*(jnp.ones(n, jnp.int32) for _ in range(4))),
    last_action=jnp.full((n, p, len(constants.ACTION_SIZES)), -1, jnp.int32),
    last_reward=jnp.zeros((n, p), jnp.float32),
    visible=jnp.zeros((n, p, p + s), bool),
  )


def restart(
  tasks: Tasks, session: Session, trial: Array, episode: Array
) -> Session:
  """Puts environments back to their start state.

  Args:
    tasks: The tasks, new ones where an episode starts.
    session: Before.
    trial: Where another trial starts, bool [N]; the clock is there already.
    episode: Where an episode starts, bool [N].
  """
  anew = trial | episode
  rows = anew[:, None]
  clock = session.clock
  return session._replace(
    slot_types=jnp.where(rows, tasks.start_types, session.slot_types),
    frozen=jnp.where(rows, tasks.start_frozen, session.frozen),
    hand=hand_lib.empty(session.hand, rows)._replace(
      ready=session.hand.ready | rows
    ),
    lag=jnp.where(rows, 0, session.lag),
    pitch=jnp.where(rows, constants.START_PITCH, session.pitch),
    clock=clock_lib.Clock(
      trial=jnp.where(episode, 0, clock.trial),
      step=jnp.where(episode, 0, clock.step),
      trials=jnp.where(episode, tasks.trials, clock.trials),
      trial_steps=jnp.where(episode, tasks.trial_steps, clock.trial_steps),
    ),
    last_action=jnp.where(episode[:, None, None], -1, session.last_action),
    last_reward=jnp.where(episode[:, None], 0, session.last_reward),
  )


def moment(session: Session, poses: avatar.Poses) -> observations.Moment:
  """What observations are made from."""
  return observations.Moment(
    slot_types=session.slot_types,
    poses=poses,
    hand=session.hand,
    lag=session.lag,
    pitch=session.pitch,
    clock=session.clock,
    last_action=session.last_action,
    last_reward=session.last_reward,
  )
