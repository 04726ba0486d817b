"""Fake states of a flat room, for the expert's tests."""

import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from adaland.envs import constants, land
from adaland.envs.expert.control import senses
from adaland.envs.expert.ways import navigate
from adaland.envs.tasks.task import Task


def make_view(
  objects,
  player=(0.0, 0.0),
  yaw=0.0,
  pitch=0.0,
  held=-1,
  hand=0.9,
  tiles=(8, 8),
) -> land.WorldView:
  """Returns a view of objects {slot: (type id, (x, y, z))}, all visible."""
  slots = 6
  kinds = np.zeros(slots, np.int32)
  at = np.full((slots, 3), -100.0, np.float32)
  for slot, (type_id, position) in objects.items():
    kinds[slot], at[slot] = type_id, position
  heights = np.zeros(tiles, int)
  return land.WorldView(
    slot_types=kinds,
    frozen=np.zeros(slots, bool),
    object_pos=at,
    object_quat=np.tile(np.array([1, 0, 0, 0], np.float32), (slots, 1)),
    held=np.array([held], np.int32),
    hand_distance=np.array([hand if held >= 0 else 0.0], np.float32),
    player_pos=np.array([[*player, 0.0]], np.float32),
    yaw=np.array([yaw], np.float32),
    pitch=np.array([pitch], np.float32),
    visible=np.concatenate([[False], kinds > 0])[None],
    trial=0,
    step=1,
    heights=heights,
    ramps=0 * heights,
    trial_rewards=np.zeros((1, 1)),
    fired=np.zeros(constants.MAX_RULES, bool),
  )


def make_pair(objects, first, second) -> land.WorldView:
  """Returns `make_view` with two players, whose hands are empty."""
  view = make_view(objects, player=first)
  player_pos = np.concatenate([view.player_pos] * 2)
  player_pos[1, :2] = second
  seen = np.concatenate([[False, False], view.visible[0, 1:]])
  return view._replace(
    held=np.tile(view.held, 2),
    hand_distance=np.tile(view.hand_distance, 2),
    player_pos=player_pos,
    yaw=np.tile(view.yaw, 2),
    pitch=np.tile(view.pitch, 2),
    visible=np.tile(seen, (2, 1)),
    trial_rewards=np.zeros((1, 2)),
  )


def make_situation(objects, avoid=(), **kwargs) -> senses.Situation:
  view = make_view(objects, **kwargs)
  return senses.Situation(
    view, navigate.make_ground(view.heights, view.ramps), avoid
  )


def make_batch(
  objects,
  step=1,
  trial=0,
  reward=0.0,
  hidden=(),
  frozen=(),
  last_turn=2,
  **kwargs,
) -> land.BatchView:
  """Returns a batch of one of `make_view`, in which some objects are hidden."""
  view = make_view(objects, pitch=constants.START_PITCH, **kwargs)
  visible = view.visible.copy()
  visible[0, 1 + np.array(hidden, int)] = False
  is_frozen = np.isin(np.arange(len(view.slot_types)), frozen)
  return batch_of(
    view._replace(visible=visible, frozen=is_frozen, step=step, trial=trial),
    reward,
    last_turn,
  )


def batch_of(
  view: land.WorldView, reward: float = 0.0, last_turn: int = 2
) -> land.BatchView:
  """Returns a batch of one environment."""
  players = len(view.held)
  action = np.tile(np.array(constants.NOOP_ACTION, np.int32), (players, 1))
  action[:, 2] = last_turn
  fields = view._asdict() | {
    "step": np.int32(view.step),
    "trial": np.int32(view.trial),
  }
  return land.BatchView(
    **{name: np.asarray(value)[None] for name, value in fields.items()},
    trials=np.array([4], np.int32),
    tiles=np.array([view.heights.shape], np.int32),
    last_action=action[None],
    last_reward=np.full((1, players), reward, np.float32),
  )


def make_world(tasks: Sequence[Task], *batches: land.BatchView) -> Any:
  """Returns a fake of `land.Land`, in which each batch is an environment."""
  view = land.BatchView(*map(np.concatenate, zip(*batches, strict=True)))
  return types.SimpleNamespace(
    num_envs=len(tasks),
    tasks=list(tasks),
    clock=types.SimpleNamespace(now=types.SimpleNamespace(step=view.step)),
    batch_view=lambda: view,
  )
