"""Players side by side on a task, live or recorded, for one page."""

import base64
import binascii
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import demo
from adaland.launch.studio import catalogue, frames, lanes, messages, mind, told


class Watched:
  """Players on a task, as requested by a message."""

  def __init__(self, message: messages.Watch, known: catalogue.Catalogue):
    """Initializes the players' task and seed.

    Args:
      message: The message.
      known: The tasks and players.

    Raises:
      UserError: If there is no such task, or the demonstration is broken or of
        another task.
    """
    self._message, self._known = message, known
    self._recorded = recorded = _recorded(message)
    if message.task:
      task = known.task(message.task)
    else:
      assert recorded is not None  # `Watch` ensures it.
      task = recorded.demo.task
    self._task = with_trials(task, message.trials)
    self._seed = message.seed
    if recorded is not None:
      self._seed = recorded.demo.seed
      given = with_trials(recorded.demo.task, self._task.trials)
      if given != self._task:
        raise errors.UserError(
          f"demo: is of another task, {recorded.demo.task.name!r}"
        )

  def play(
    self, send: Callable[..., None], is_stopped: Callable[[], bool]
  ) -> None:
    """Lets the players play and sends their frames.

    Args:
      send: Sends a message to the page: its type and its fields.
      is_stopped: Returns True if nobody is watching any more.
    """
    message, task = self._message, self._task
    made = []
    for name in message.players:
      send("progress", text=f"getting ready: {name}")
      made.append(
        lanes.Lane(name, task, self._seed, self._known, self._recorded)
      )
      if is_stopped():
        return
    scene = catalogue.start(task)
    send(
      "lanes",
      told=told.task(task, 0, message.reveal),
      ground=frames.ground(scene.heights, scene.ramps, task.world.seed),
      players=list(message.players),
      types=mind.types_of(task, message.reveal),
      truth=_truth(made, task) if message.reveal else None,
    )
    lanes.play(made, task, lambda **parts: send("frames", **parts), is_stopped)


def with_trials(task: Task, trials: int) -> Task:
  """Returns a task with another number of trials; 0 keeps its own."""
  return dataclasses.replace(task, trials=trials) if trials else task


def _recorded(message: messages.Watch) -> lanes.Recorded | None:
  """Returns the demonstration of a message, if it has one."""
  if not message.demo:
    return None
  with errors.user_input("demo"):
    try:
      data = base64.b64decode(message.demo, validate=True)
    except binascii.Error as error:
      raise errors.UserError(f"is not base64: {error}") from error
    return lanes.Recorded(demo.decode(data), message.episode, message.agent)


def _truth(made: Sequence[lanes.Lane], task: Task) -> Any:
  """Returns the correct belief, in percent; None without a belief."""
  for lane in made:
    if lane.agent is not None and not lane.error:
      right = mind.truth(lane.agent, task)
      return None if right is None else (100 * right).astype(int).tolist()
  return None
