"""Formats in JSON: tasks, configs, settings, checkpoints, status."""

import contextlib
import functools
import io
import json
import pathlib
import tempfile
from typing import Any

import numpy as np

from adaland.agent.checkpoint import document
from adaland.curriculum import base, factory
from adaland.envs.sampling import sampler
from adaland.envs.tasks import json_checks, json_files, probes, task
from adaland.launch import errors, status
from adaland.launch.agents import agent_dir
from adaland.launch.config import (
  experiment,
  json_codec,
  overrides,
  preset_configs,
)
from adaland.launch.run import rundir, status_file
from adaland.launch.studio import messages
from tests.fuzz import checks, mutate


class Task:
  """Task files."""

  def __init__(self):
    folder = pathlib.Path(probes.__file__).parents[1] / "probes"
    self._whole = [path.read_text() for path in sorted(folder.glob("*.json"))]
    draw = sampler.TaskSampler(preset_configs.smoke().tasks).task
    written = [json_files.to_json(draw(i)) for i in range(10)]
    written[0]["world"] = {"heights": [[0, 1, 0], [0, 0, 2], [1, 1, 1]]}
    written[1]["players"] *= 2
    written[1]["hide"] = {
      f"player{n}": {"rules": [], "objects": ["black cube"], "predicates": []}
      for n in (1, 2)
    }
    self._whole += [json.dumps(each) for each in written]

  def damage(self, rng):
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data):
    return json_files.loads(data, "task.json")

  def check(self, value):
    text = json.dumps(json_files.to_json(value))
    checks.same(value, json_files.loads(text.encode()))


class Config:
  """Config files of runs, which hold the files of `train --config`."""

  def __init__(self):
    self._whole = [
      json.dumps(
        {"format": rundir.FORMAT, "config": json_codec.to_json(make())}
      )
      for make in preset_configs.PRESETS.values()
    ]

  def damage(self, rng):
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data):
    with errors.user_input("config.json"):
      content = rundir.config_of(json_checks.parse(data))
      return json_codec.from_json(experiment.ExperimentConfig, content)

  def check(self, value):
    text = json.dumps(json_codec.to_json(value), allow_nan=False)
    again = json_codec.from_json(type(value), json.loads(text))
    checks.same(value, again)


class Agent:
  """Files agent.json of exported agents."""

  def __init__(self):
    made = tempfile.TemporaryDirectory()
    self._made = made  # Deleted with this object.
    self._path = pathlib.Path(made.name, "agent")
    training = agent_dir.Training(120, 7, 61.5, "2 cores")
    described = agent_dir.Description("mine", preset_configs.smoke(), training)
    agent_dir.write(str(self._path), described, {}, "")
    self._file = self._path / "agent.json"
    self._whole = self._file.read_text()

  def damage(self, rng):
    return mutate.json_text(self._whole, rng)

  def read(self, data):
    self._file.write_bytes(data)
    return agent_dir.read(self._path)

  def check(self, value):
    checks.same(str(value.name).isprintable(), True)
    Config().check(value.config)


class Setting:
  """Arguments of --set."""

  def __init__(self):
    self._config = preset_configs.smoke()
    self._whole = [
      f"{path}={json.dumps(value)}"
      for path, value in _leaves(json_codec.to_json(self._config))
    ]

  def damage(self, rng):
    path, _, value = rng.choice(self._whole).partition("=")
    if rng.random() < 0.5:
      value = mutate.json_text(value, rng).decode("utf-8", "replace")
    else:
      path = mutate.text(path, rng)
    return f"{path}={value}".encode("utf-8", "replace")

  def read(self, data):
    with errors.user_input("--set"):
      text = data.decode("utf-8", "surrogateescape")
      return overrides.apply(self._config, [text])

  check = Config.check


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
  if not isinstance(value, dict):
    return [(path, value)]
  return [
    leaf
    for key, item in value.items()
    for leaf in _leaves(item, f"{path}.{key}" if path else key)
  ]


class Checkpoint:
  """Files run.json of checkpoints, with the curriculum's state."""

  def __init__(self):
    self._curriculum = _curriculum()
    for _ in range(40):
      for assignment in self._curriculum.next_tasks(2):
        rewards = np.linspace(0, assignment.key % 3, assignment.task.trials)
        record = base.EpisodeRecord(
          assignment.key,
          assignment.learn,
          rewards.astype(np.float32),
          1.0,
          2.0,
          3.0,
          assignment.task.trial_seconds,
        )
        self._curriculum.report(record)
    run = {
      "played": {
        "curriculum": self._curriculum.state_dict(),
        "env_steps": 1234,
        "episodes": 80,
      },
      "seconds": 61.5,
      "has_batch": False,
      "arrays": [np.arange(6.0).reshape(2, 3), np.zeros(0), np.uint64(7)],
    }
    leaves = [["['w']", [3, 2], "float32"], ["['n']", [], "int32"]]
    self._whole = document.encode(3, leaves, run)

  def damage(self, rng):
    return mutate.json_text(self._whole, rng)

  def read(self, data):
    with errors.user_input("run.json"), errors.of_another_form("run.json"):
      leaves, run = document.decode(data)
      _curriculum().load_state_dict(run["played"]["curriculum"])
      return leaves, run

  def check(self, value):
    text = document.encode(3, *value)
    again = document.decode(text.encode())
    checks.same(text, document.encode(3, *again))


def _curriculum() -> Any:
  settings = factory.CurriculumConfig(kind="plr")
  return factory.make_curriculum(settings, lambda index: _probe(), 0)


@functools.cache
def _probe() -> task.Task:
  return probes.load(probes.names()[0])


class Status:
  """Files status.json of runs, as `launch.status` shows them."""

  def __init__(self):
    made = tempfile.TemporaryDirectory()
    self._made = made  # Deleted with this object.
    self._run = rundir.RunDir(made.name)
    self._run.begin(preset_configs.smoke()).close()
    role = status_file.RoleStatus(
      "actor 1", "actor", 77, "host", 210.5, 2, 1.5, {"steps_per_s": 9.0}
    )
    counters = {"env_steps": 5, "episodes": 2, "updates": 3, "seconds": 1.5}
    row = {"env_steps_per_s": 12.5, "reward/episode": 0.0, "loss": 0.5}
    status_file.write(self._run, "ray", "running", counters, row, [role])
    self._path = self._run.path / status_file.NAME
    self._whole = self._path.read_text()

  def damage(self, rng):
    return mutate.json_text(self._whole, rng)

  def read(self, data):
    self._path.write_bytes(data)
    args = status.make_parser().parse_args([str(self._run.path)])
    with contextlib.redirect_stdout(io.StringIO()) as out:
      status.run(args)
    return out.getvalue()

  def check(self, value):
    value.encode()  # Raises on half a surrogate pair.
    checks.same(all(map(str.isprintable, value.splitlines())), True)


class Message:
  """Messages of the page in the browser."""

  def __init__(self):
    task = json.dumps(json_files.to_json(_probe()))
    self._whole = [
      messages.encode(name.lower(), **json_codec.to_json(message))
      for message in (
        messages.Hello("token"),
        messages.Card("traps:1"),
        messages.Check(task),
        messages.Play("probe:dont-act", 7, "expert", True, 3),
        messages.Act(2, 0, 1, 2, 0.5, -0.5, 9),
        messages.Go(),
        messages.Watch(("expert", "demo"), task, 2, 1, "AAAA", 3, "ab", True),
        messages.Recording("runs/a", "evaluation.json", 2),
        messages.Study(("traps:1", "traps:2"), 4),
        messages.Result("agent:laptop"),
      )
      for name in [type(message).__name__]
    ]

  def damage(self, rng):
    return mutate.json_text(rng.choice(self._whole), rng)

  def read(self, data):
    # The socket refuses what is not UTF-8.
    return messages.decode(data.decode("utf-8", "replace"))

  def check(self, value):
    kind = type(value).__name__.lower()
    again = messages.encode(kind, **json_codec.to_json(value))
    checks.same(value, messages.decode(again))
