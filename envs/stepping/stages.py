"""The jitted stages of a step, on a whole batch, between calls to physics.

A call of a jitted program costs about as much as the work of one stage, so
there are few stages. With physics on the host they are `control`, physics,
`sight_lines`, rays, `finish`; then, where objects appeared or vanished or a
trial starts, `restart`, `sight_lines` and `observe`. `device_stages` has the
stages for physics on a device.

N: environments, P: players, S: slots, R: rules.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adaland.envs.game import avatar, engine, hands
from adaland.envs.observations import observations, sight, vision
from adaland.envs.stepping import env_state

Array = Any  # NumPy between jitted functions, JAX inside.

restart = jax.jit(env_state.restart)


class Outcome(NamedTuple):
  """Events of a step; empty where an episode starts.

  Attributes:
    reward: Seconds of goal satisfaction, float32 [N, P].
    fired: Rules that fired, bool [N, R].
    dropped: Number of spawns that found no free slot, int32 [N].
    changed: Slots whose object was consumed or spawned, bool [N, S].
    object_pos: Centres of the objects, new ones included, float32 [N, S, 3].
  """

  reward: Array
  fired: Array
  dropped: Array
  changed: Array
  object_pos: Array


class RayRequest(NamedTuple):
  """Rays that physics has to cast for the players' pictures.

  Attributes:
    origins: Start points, float32 [N, P * pixels, 3].
    directions: Unit vectors, in the same shape.
  """

  origins: Array
  directions: Array


@jax.jit
def sight_lines(slot_types, poses, pitch, see_literals, room):
  """Returns `sight.wanted` and the poses, which are JAX arrays from here on."""
  return sight.wanted(slot_types, poses, pitch, see_literals, room), poses


@jax.jit
def control(tasks, state, poses, actions):
  """Decodes actions into physics controls, hands and pitch.

  Args:
    tasks: The tasks.
    state: The state before the step.
    poses: The poses before the step.
    actions: Indices of the action heads, int32 [N, P, 6].

  Returns:
    The fields of `physics.base.AvatarControl`, the hands during the step, and
    the pitch of the views at its end.
  """
  pitch, yaw = state.pitch, poses.player_yaw
  command = avatar.decode_actions(actions, yaw, pitch)
  eyes = avatar.eye(poses.player_pos)
  axes = avatar.view_axes(yaw, pitch)
  offsets = poses.object_pos[:, None] - eyes[:, :, None]
  graspable = ~state.frozen & (state.slot_types > 0)
  seen = state.visible[:, :, pitch.shape[1] :] & graspable[:, None]
  hand = hands.operate(state.hand, command, avatar.to_view(axes, offsets), seen)
  game = tasks.game
  hand_at = hands.keep_inside(
    hands.target(hand, command, poses.player_pos, yaw),
    poses.player_pos,
    (game.heights, game.ramps, game.tiles),
  )
  controls = (command.velocity, command.turn, hand.held, hand_at)
  return controls, hand, command.pitch


def advance_game(
  tasks, state, hand, pitch, poses, sees, actions, starting
) -> tuple[env_state.EnvState, Outcome]:
  """Advances the game and the clock after physics.

  Args:
    tasks: The tasks.
    state: The state before the step.
    hand: The hands during the step, as returned by `control`.
    pitch: The pitch of the views, as returned by `control`.
    poses: Poses and contacts after physics.
    sees: Visibility: node i sees node j, bool [N, P+S, P+S].
    actions: The actions taken, int32 [N, P, 6].
    starting: Environments in which an episode starts instead, bool [N]; their
      outcome is empty.

  Returns:
    The state, to which `restart` must still be applied where a trial or an
    episode starts, and the outcome.
  """
  events = engine.advance(
    tasks.game, state.slot_types, hand, pitch, state.clock, poses, sees
  )
  going = ~starting
  changed = events.changed & going[:, None]
  reward = jnp.where(starting[:, None], 0, events.reward)
  state = env_state.EnvState(
    slot_types=events.slot_types,
    frozen=state.frozen & ~changed,
    hand=events.hand,
    lag=events.lag,
    pitch=pitch,
    clock=events.clock,
    last_action=actions,
    last_reward=reward,
    visible=state.visible,
  )
  return state, Outcome(
    reward=reward,
    fired=events.fired & going[:, None],
    dropped=events.dropped * going,
    changed=changed,
    object_pos=events.object_pos,
  )


@functools.partial(jax.jit, static_argnames=("size",))
def finish(
  tasks, state, hand, pitch, poses, sees, actions, starting, size
) -> tuple[env_state.EnvState, Outcome, dict[str, Array], RayRequest | None]:
  """Runs `advance_game` and `observe_scene`; see these for the arguments."""
  state, outcome = advance_game(
    tasks, state, hand, pitch, poses, sees, actions, starting
  )
  state, observation, rays = observe_scene(tasks, state, poses, sees, size)
  return state, outcome, observation, rays


def observe_scene(
  tasks, state, poses, sees, size
) -> tuple[env_state.EnvState, dict[str, Array], RayRequest | None]:
  """Updates the visible nodes and makes the observations.

  Args:
    tasks: The tasks.
    state: The state.
    poses: Poses and contacts.
    sees: Visibility: node i sees node j, bool [N, P+S, P+S].
    size: Width and height of the pictures, None for entities.

  Returns:
    The state, the observations, and the rays from which `draw` makes the
    pictures (None for entities).
  """
  state = state._replace(visible=sees[:, : state.pitch.shape[1]])
  scene = env_state.scene_state(state, poses)
  observation = observations.shared(scene)
  if size is not None:
    axes = avatar.view_axes(poses.player_yaw, state.pitch)
    view = jnp.asarray(vision.pixel_directions(*size))
    rays = vision.pixel_rays(view, avatar.eye(poses.player_pos), axes)
    rays = (x.reshape(x.shape[0], -1, 3) for x in rays)
    return state, observation, RayRequest(*rays)
  observation["entities"] = observations.entities(scene, state.visible)
  observation["terrain"] = observations.terrain_grid(scene, tasks.game)
  return state, observation, None


observe = functools.partial(jax.jit, static_argnames=("size",))(observe_scene)
# Colours the hits of the pictures' rays.
draw = functools.partial(jax.jit, static_argnames=("size",))(
  observations.pixels
)
