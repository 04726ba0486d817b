"""The jitted stages of a step, on a whole batch, between calls to physics.

Calling a program costs about as much as what these compute, so there are few.
With physics on the host: `control`, then physics, `look`, then rays, and
`finish`; where objects came or went or a trial starts, also `restart`, `look`
and `observe`. `device_stages` has those for physics on a device.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs.game import avatar, engine
from adaland.envs.game import hand as hand_lib
from adaland.envs.observations import observations, sight, vision
from adaland.envs.stepping import env_state as session_lib

Array = Any  # NumPy between jitted functions, JAX inside.
# Observations; of pictures the origins and directions of their rays besides.
Shown = tuple[dict[str, Array], tuple[Array, ...]]

restart = jax.jit(session_lib.restart)


class Outcome(NamedTuple):
  """What a step brought: nothing where an episode starts.

  Attributes:
    reward: Seconds of goal satisfaction, float32 [N, P].
    fired: Which rules fired, bool [N, R].
    dropped: Spawns lost for want of a slot, int32 [N].
    changed: Slots whose object was consumed or made, bool [N, S].
    object_pos: Centres, those of new objects too, float32 [N, S, 3].
  """

  reward: Array
  fired: Array
  dropped: Array
  changed: Array
  object_pos: Array


@jax.jit
def look(slot_types, poses, pitch, see_literals, room):
  """What `sight.wanted` gives, and the poses, which stay with JAX from here."""
  return sight.wanted(slot_types, poses, pitch, see_literals, room), poses


@jax.jit
def control(session, poses, actions):
  """From actions to what physics shall do, and hands and pitch meanwhile."""
  pitch, yaw = session.pitch, poses.player_yaw
  wish = avatar.wish(actions, yaw, pitch)
  eyes = avatar.eye(poses.player_pos)
  axes = avatar.view_axes(yaw, pitch)
  offsets = poses.object_pos[:, None] - eyes[:, :, None]
  takeable = ~session.frozen & (session.slot_types > 0)
  seen = session.visible[:, :, pitch.shape[1] :] & takeable[:, None]
  hand = hand_lib.operate(
    session.hand, wish, avatar.to_view(axes, offsets), seen
  )
  at = hand_lib.target(hand, wish, poses.player_pos, yaw)
  return (wish.velocity, wish.turn, hand.held, at), hand, wish.pitch


def play(
  tasks, session, hand, pitch, poses, sees, actions, starting
) -> tuple[session_lib.Session, Outcome]:
  """Reads the world after physics: the game and time.

  Args:
    tasks: The tasks.
    session: Before the step.
    hand: As `control` gave it.
    pitch: As `control` gave it.
    poses: Where everything is.
    sees: Who sees whom, bool [N, P+S, P+S].
    actions: Taken, int32 [N, P, 6].
    starting: Where an episode starts instead: the outcome is none, bool [N].

  Returns:
    The session; where a trial or an episode starts it waits for `restart`.
  """
  events = engine.advance(
    tasks.game, session.slot_types, hand, pitch, session.clock, poses, sees
  )
  going = ~starting
  changed = events.changed & going[:, None]
  reward = jnp.where(starting[:, None], 0, events.reward)
  session = session_lib.Session(
    slot_types=events.slot_types,
    frozen=session.frozen & ~changed,
    hand=events.hand,
    lag=events.lag,
    pitch=pitch,
    clock=events.clock,
    last_action=actions,
    last_reward=reward,
    visible=session.visible,
  )
  return session, Outcome(
    reward=reward,
    fired=events.fired & going[:, None],
    dropped=events.dropped * going,
    changed=changed,
    object_pos=events.object_pos,
  )


@functools.partial(jax.jit, static_argnames=("size",))
def finish(
  tasks, session, hand, pitch, poses, sees, actions, starting, size
) -> tuple[session_lib.Session, Outcome, Shown]:
  """What `play` does, and what is observed; `size` is of the pictures."""
  session, outcome = play(
    tasks, session, hand, pitch, poses, sees, actions, starting
  )
  session, shown = show(tasks, session, poses, sees, size)
  return session, outcome, shown


def show(
  tasks, session, poses, sees, size
) -> tuple[session_lib.Session, Shown]:
  """Takes who sees whom into the session, and gives what is observed.

  Args:
    tasks: The tasks.
    session: The session.
    poses: Where everything is.
    sees: Who sees whom, bool [N, P+S, P+S].
    size: Of the pictures, None for entities.
  """
  session = session._replace(visible=sees[:, : session.pitch.shape[1]])
  moment = session_lib.moment(session, poses)
  shown = observations.shared(moment)
  if size is not None:
    axes = avatar.view_axes(poses.player_yaw, session.pitch)
    view = jnp.asarray(vision.pixel_directions(*size))
    rays = vision.pixel_rays(view, avatar.eye(poses.player_pos), axes)
    rays = tuple(x.reshape(x.shape[0], -1, 3) for x in rays)
    return session, (shown, rays)
  shown["entities"] = observations.entities(moment, session.visible)
  shown["terrain"] = observations.terrain_grid(moment, tasks.game)
  return session, (shown, ())


observe = functools.partial(jax.jit, static_argnames=("size",))(show)
# Colours the hits of the pictures' rays.
draw = functools.partial(jax.jit, static_argnames=("size",))(
  observations.pixels
)
