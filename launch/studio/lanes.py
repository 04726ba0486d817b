"""Players side by side on the same task, each in its own world.

A lane is a player and its world. All start in the same state, and as trials end
only by time, all lanes are at the same step. The page gets the poses of all
steps, so that it can show any moment of any trial.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.envs import land
from adaland.envs.tasks.task import Task
from adaland.launch import builder, errors
from adaland.launch.evaluation import demo, policies, prompting, trained_agent
from adaland.launch.studio import catalogue, frames, mind

PROMPTED = "prompted "
DEMO = "demo"
# Seconds of computing between messages with the frames so far.
_CHUNK_SECONDS = 0.25
# Seconds of reward by which a replayed trial may differ.
_TOLERANCE = 1e-3


class _Until:
  """A policy that repeats a demonstration and then does nothing."""

  def __init__(self, actions: np.ndarray):
    self._actions = list(actions)
    self._noop = policies.Noop()

  def act(self, step: land.Step) -> np.ndarray:
    if not self._actions:
      return self._noop.act(step)
    return self._actions.pop(0)[None]


class _Led:
  """An agent that observes and thinks while another player acts."""

  def __init__(self, agent: mind.Mind, leader: policies.Policy):
    self._agent, self._leader = agent, leader

  def act(self, step: land.Step) -> np.ndarray:
    self._agent.act(step)
    return self._leader.act(step)


class Recorded(NamedTuple):
  """A demonstration, or an episode that an evaluation kept.

  Attributes:
    demo: The demonstration.
    episode: Number of the environment's episode, from 0.
    agent: Fingerprint of the agent that played it; empty if unknown.
  """

  demo: demo.Demo
  episode: int = 0
  agent: str = ""


class Lane:
  """A player and its world.

  Attributes:
    name: The player's name.
    error: The reason why it stopped; empty if it plays.
    note: A note for the viewer; empty if there is none.
    rewards: Reward of each trial that was started, seconds.
    mind: The agent, if the player is one.
  """

  def __init__(
    self,
    name: str,
    task: Task,
    seed: int,
    known: catalogue.Catalogue,
    recorded: Recorded | None,
  ):
    self.name, self.error, self.note, self.rewards = name, "", "", [0.0]
    self.mind: mind.Mind | None = None
    self.agent: trained_agent.SavedAgent | None = None
    make_land = land.maker(land.LandConfig())
    self._task, self._recorded = task, recorded
    try:
      wanted = self._agent_name(known)
      if wanted in known.agents:
        self.agent = known.agent(wanted)
        self.mind = mind.Mind(self.agent, seed)
        trained_agent.check_fit(self.agent.config.env, [task])
        make_land = builder.environments(self.agent.config)
      else:
        trained_agent.default_env([task])
      with errors.user_input():
        self._world = make_land(1, lambda _: task, seed)
        if recorded is not None:
          self._world.episodes[0] = recorded.episode
        self._step = self._world.reset()
      self._policy = self._make(seed)
      self._action = np.zeros([0])
    except errors.UserError as error:
      self.error = errors.one_line(str(error))

  def _agent_name(self, known: catalogue.Catalogue) -> str:
    """Returns the name of the agent whose mind is shown, if any."""
    recorded = self._recorded
    if self.name != DEMO or recorded is None or not recorded.agent:
      return self.name.removeprefix(PROMPTED)
    name = known.agent_of(recorded.agent)
    if not name:
      self.note = (
        "the agent that played this is not here, so its mind is not shown"
      )
    return name

  def _make(self, seed: int) -> policies.Policy:
    name, recorded = self.name, self._recorded
    if name == DEMO:
      if recorded is None:
        raise errors.UserError("demo: no demonstration is given")
      acting = _Until(recorded.demo.actions)
      return acting if self.mind is None else _Led(self.mind, acting)
    if self.mind is None:
      if name not in catalogue.SCRIPTED:
        raise errors.choice("player", name, [DEMO, *catalogue.SCRIPTED])
      return policies.baseline(name, seed)(self._world)
    if not name.startswith(PROMPTED):
      return self.mind
    if recorded is None:
      demonstrator = prompting.demonstrator([self._task])
      teacher = policies.baseline(demonstrator, seed)(self._world)
      return prompting.Prompted(self.mind, teacher)
    return prompting.Prompted(self.mind, _Until(recorded.demo.actions))

  def step(self) -> None:
    """Takes the action that the player chose in the last frame."""
    self._step = self._world.step(self._action)
    self.rewards[-1] += float(self._step.reward[0])

  def end_trial(self, is_last: bool) -> None:
    """Ends a trial; further rewards count for the next one, if any."""
    if self.name == DEMO and self._recorded is not None:
      trial, kept = len(self.rewards) - 1, self._recorded.demo
      # The player may have ended the recording within a trial.
      whole = len(kept.actions) // self._task.trial_steps
      wanted = kept.rewards[:whole][trial : trial + 1]
      if abs(wanted - self.rewards[-1]).max(initial=0) > _TOLERANCE:
        self.note = (
          f"trial {trial + 1} gave {self.rewards[-1]:.2f} s, and "
          f"{wanted[0]:.2f} s when it was recorded: by another version of "
          "Adaland, or in an environment with other settings"
        )
    if not is_last:
      self.rewards.append(0.0)

  def frame(self) -> dict[str, Any]:
    """Lets the player choose its next action and returns the state.

    Returns:
      The result of `frames.frame`, with "r", the reward, and "f", the rules
      that fired, from 0. For an agent also its "value", if it learned one, and,
      in percent, its "belief", its "gaze" and its "past": for each layer,
      [steps ago, weight] of the steps whose weight is not negligible.
    """
    self._action = self._policy.act(self._step)
    view = self._world.state_view(0)
    shown = frames.frame(view)
    shown["r"] = round(float(self._step.reward[0]), 3)
    shown["f"] = np.flatnonzero(view.fired).tolist()
    if self.mind is not None and self.mind.thought is not None:
      thought = self.mind.thought
      if thought.value is not None:
        shown["value"] = round(thought.value, 2)
      if thought.belief is not None:
        shown["belief"] = np.round(100 * thought.belief).astype(int).tolist()
      if thought.gaze is not None:
        shown["gaze"] = np.round(100 * thought.gaze).astype(int).tolist()
      if thought.past:
        shown["past"] = [_percent(weights) for weights in thought.past]
    return shown


def _percent(weights: np.ndarray) -> list[list[int]]:
  """Returns [index, percent] of the weights that are not negligible."""
  percent = np.round(100 * weights).astype(int)
  return [[int(n), int(percent[n])] for n in np.flatnonzero(percent)]


def play(
  lanes: Sequence[Lane],
  task: Task,
  emit: Callable[..., None],
  is_stopped: Callable[[], bool],
) -> None:
  """Plays the lanes' episodes and sends their frames.

  Args:
    lanes: The lanes, which have not taken a step yet.
    task: The lanes' task.
    emit: Called with `first`, the number of a step; `frames`, for each lane
      the frames from this step on, an empty list if it has stopped; `rewards`,
      `errors` and `notes` of each lane; and `total`, the number of all frames.
    is_stopped: Returns True if nobody is watching any more.
  """
  total = task.trials * task.trial_steps + 1
  kept: list[list[dict[str, Any]]] = [[] for _ in lanes]
  first, sent = 0, time.monotonic()
  for count in range(total):
    for lane, row in zip(lanes, kept, strict=True):
      if lane.error:
        continue
      try:
        if count:
          lane.step()
        row.append(lane.frame())
        if count and count % task.trial_steps == 0:
          lane.end_trial(count + 1 == total)
      except errors.UserError as error:
        lane.error = errors.one_line(str(error))
    if is_stopped():
      return
    if count + 1 == total or time.monotonic() > sent + _CHUNK_SECONDS:
      emit(
        first=first,
        frames=kept,
        rewards=[np.round(lane.rewards, 3).tolist() for lane in lanes],
        errors=[lane.error for lane in lanes],
        notes=[lane.note for lane in lanes],
        total=total,
      )
      kept = [[] for _ in lanes]
      first, sent = count + 1, time.monotonic()
