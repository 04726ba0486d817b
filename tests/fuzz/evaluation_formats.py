"""JSON of evaluations, as `adaland compare` and the studio read them."""

import base64
import binascii
import json
import pathlib
import random
import tempfile
from typing import Any

import numpy as np

from adaland.envs.tasks import probes
from adaland.launch import errors
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import demo, recording, scores
from adaland.launch.evaluation.comparison import score_tables
from adaland.launch.run import rundir
from adaland.launch.studio import messages, runs
from tests.fuzz import checks, mutate

_FILE = "evaluation.json"


def _evaluation() -> dict[str, Any]:
  """Returns an evaluation of three tasks, with a control and an episode."""
  rewards, expert = np.array([[0, 1], [1, 2], [0.5, 0]]), [2.0, 2.5, 0.0]
  task = probes.load(probes.names()[0])
  actions = np.tile([1, 2, 0, 1, 1, 0], (task.trial_steps, 1))
  kept = recording.entry(1, "agent", demo.Demo(task, 7, actions, np.ones(1)))
  return {
    **scores.summary("agent", ["a", "b", "c"], {2: rewards}, expert),
    "taskset": "traps",
    "tasks_sha256": "ab" * 32,
    "agent_sha256": "cd" * 32,
    "environment": "",
    "controls": {"swapped": {"trial_rewards": (rewards / 2).tolist()}},
    "episodes": [kept],
  }


def _prompt() -> dict[str, Any]:
  """Returns the same evaluation as `adaland prompt` writes it."""
  made = _evaluation()
  del made["controls"]
  for task in made["tasks"]:
    rewards = task.pop("trial_rewards")
    task.update(prompted=rewards, unprompted=rewards)
  return made | dict.fromkeys(("prompted", "unprompted"), made["by_trial"])


class Evaluation:
  """Evaluations, compared with an undamaged one of the same tasks."""

  def __init__(self):
    made = tempfile.TemporaryDirectory()
    self._made = made  # Deleted with this object.
    self._folder = pathlib.Path(made.name)
    contents = [_evaluation(), _prompt()]
    for content in contents:
      del content["episodes"]
    self._whole = [json.dumps(content) for content in contents]
    whole = self._folder / "whole.json"
    whole.write_text(json.dumps(contents[0] | {"agent_sha256": None}))
    self._specs = [f"{self._folder / _FILE}", f"whole={whole}"]

  def damage(self, rng: random.Random) -> bytes:
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data: bytes) -> score_tables.Tables:
    (self._folder / _FILE).write_bytes(data)
    try:
      return score_tables.load(self._specs)
    except ValueError as error:
      checks.same(type(error), errors.UserError)
      raise

  def check(self, value: score_tables.Tables) -> None:
    for score in value.scores.values():
      checks.same(np.isfinite(score).all() and score.min() >= 0, True)
      checks.same(score.shape[2], 2)
    for label in (*value.scores, value.taskset):
      checks.same(label.isprintable(), True)


class Kept:
  """Evaluations in a run's folder, whose episodes the studio shows."""

  def __init__(self):
    made = tempfile.TemporaryDirectory()
    self._made = made  # Deleted with this object.
    self._run = rundir.RunDir(made.name)
    self._run.begin(preset_configs.smoke()).close()
    self._whole = [json.dumps(make()) for make in (_evaluation, _prompt)]

  def damage(self, rng: random.Random) -> bytes:
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data: bytes) -> dict[str, Any]:
    (self._run.path / _FILE).write_bytes(data)
    found = runs.curves(self._run)
    _check_sent("curves", found)
    for evaluation in found["evaluations"].values():
      for each in evaluation["curves"].values():
        finite = np.isfinite([each["mean"], each["stderr"]])
        checks.same(finite.all(), True)
    return runs.kept_episode(self._run, _FILE, 0)

  def check(self, value: dict[str, Any]) -> None:
    _check_sent("recording", value)
    # The page sends these back, and the demonstration is read then.
    watch = {
      "task": "",
      "players": ["demo"],
      "demo": value["demo"],
      "episode": value.get("episode", 0),
      "agent": value["agent"],
    }
    try:
      messages.decode(messages.encode("watch", **watch))
      demo.decode(base64.b64decode(value["demo"], validate=True))
    except ValueError as error:
      refused = isinstance(error, errors.UserError | binascii.Error)
      checks.same(refused, True)


def _check_sent(kind: str, fields: dict[str, Any]) -> None:
  """Raises AssertionError unless a message is JSON of these fields."""
  sent = messages.encode(kind, **fields)
  again = json.loads(sent, parse_constant=_no_constant)
  checks.same(again, {"type": kind, **fields})


def _no_constant(name: str) -> float:
  raise AssertionError(f"{name} is no JSON")
