"""The tasks, players and runs that the page offers, by name.

Names are looked up in lists, so no message can reach a file by its path.
"""

import functools
from collections.abc import Sequence
from typing import Any

from adaland.agent.checkpoint import checkpoint, weights
from adaland.envs.sampling import families, named
from adaland.envs.tasks import json_files, probes
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import scene
from adaland.launch import cli, errors
from adaland.launch.agents import agent_dir
from adaland.launch.config import experiment, preset_configs
from adaland.launch.evaluation import policies, trained_agent
from adaland.launch.recipes import task_source
from adaland.launch.run import rundir
from adaland.launch.studio import frames, told

_PRESET = "laptop"
# Players without parameters that play any task of one player.
SCRIPTED = tuple(
  n for n in policies.NAMES if n not in ("agent", "tutor", "guide")
)


class Catalogue:
  """The agents and runs that the page may request.

  Attributes:
    agents: Workdir of each agent, as in `trained_agent.load`, by name.
    runs: Directory of each run, by name.
    own_parts: True if code that a run's config names may be imported.
  """

  def __init__(self, workdirs: Sequence[str] = (), own_parts: bool = False):
    """Initializes the catalogue.

    Args:
      workdirs: Runs and agents in addition to the package's.
      own_parts: True if code that their configs name may be imported.

    Raises:
      UserError: If one of them has no agent.
    """
    self.own_parts = own_parts
    self.agents = {
      f"{agent_dir.PREFIX}{name}": f"{agent_dir.PREFIX}{name}"
      for name in agent_dir.names()
    }
    self.runs: dict[str, rundir.RunDir] = {}
    for workdir in workdirs:
      trained_agent.load_config(workdir, own_parts)
      self.agents[workdir] = workdir
      if agent_dir.find(workdir) is None:
        self.runs[workdir] = rundir.RunDir(workdir)

  @property
  def players(self) -> list[str]:
    """Names of all players that can be watched."""
    return [*self.agents, *SCRIPTED]

  def lists(self) -> dict[str, Any]:
    """Returns all names, for the page, and the probes that fit each agent."""
    return {
      "probes": list(probes.names()),
      "fitting": self._fitting,
      "families": list(named.NAMES),
      "agents": list(self.agents),
      "players": self.players,
      "runs": list(self.runs),
    }

  @functools.cached_property
  def _fitting(self) -> dict[str, list[str]]:
    tasks = {name: probes.load(name) for name in probes.names()}
    return {
      agent: [n for n, task in tasks.items() if not self.fault(agent, task)]
      for agent in self.agents
    }

  def fault(self, name: str, *tasks: Task) -> str:
    """Returns why an agent can't play all of some tasks, or "" if it can."""
    try:
      trained_agent.check_fit(self._config(name).env, list(tasks))
    except errors.UserError as error:
      return errors.one_line(str(error))
    return ""

  @functools.lru_cache(16)  # noqa: B019  # One catalogue per process.
  def _config(self, name: str) -> experiment.ExperimentConfig:
    return trained_agent.load_config(self.agents[name], self.own_parts)

  def agent(self, name: str) -> trained_agent.SavedAgent:
    """Loads an agent; of a run, that of its newest checkpoint.

    Raises:
      UserError: If there is no agent of this name, or it is broken.
    """
    if name not in self.agents:
      raise errors.choice("agent", name, self.agents)
    return self._agent(name, self._checkpoint(name))

  def _checkpoint(self, name: str) -> tuple[int, ...]:
    """Returns the newest checkpoint's number; empty if there is none."""
    if name not in self.runs:
      return ()
    return tuple(checkpoint.steps(self.runs[name].checkpoints)[-1:])

  # The key includes the checkpoint, as a run under way writes newer ones.
  @functools.lru_cache(4)  # noqa: B019  # One catalogue per process.
  def _agent(self, name: str, at: tuple[int, ...]) -> trained_agent.SavedAgent:
    del at
    return trained_agent.load(self.agents[name], self.own_parts)

  def run(self, name: str) -> rundir.RunDir:
    """Returns the directory of a run.

    Raises:
      UserError: If there is no run of this name.
    """
    if name not in self.runs:
      raise errors.choice("run", name, self.runs or ["(none)"])
    return self.runs[name]

  def agent_of(self, fingerprint: str) -> str:
    """Returns the name of the agent with these parameters, or ""."""
    for name in self.agents:
      if self._fingerprint(name, self._checkpoint(name)) == fingerprint:
        return name
    return ""

  @functools.lru_cache(16)  # noqa: B019  # One catalogue per process.
  def _fingerprint(self, name: str, at: tuple[int, ...]) -> str:
    try:
      return weights.fingerprint(self._agent(name, at).params)
    except errors.UserError:
      return ""  # A run that has no agent yet.

  def task(self, text: str) -> Task:
    """Returns the task that a message names or contains.

    Raises:
      UserError: If there is no such task, or it breaks the format.
    """
    if text.startswith("{"):
      with errors.user_input("task"):
        return json_files.loads(text)
    name, colon, index = text.rpartition(":")
    if name == "probe":
      with errors.user_input():
        return probes.load(index)
    if not colon or not index.isdecimal() or int(index) > cli.MAX_SEED:
      raise errors.UserError(
        f"task: {errors.shown(text)} is not allowed: probe:NAME, or sample, "
        f"test or a family's name ({', '.join(named.NAMES)}) with a number, "
        "like traps:7"
      )
    number = int(index)
    with errors.user_input("task"):
      if name in ("sample", "test"):
        config = preset_configs.get(_PRESET)
        return task_source.TaskSource(config, name == "test").task(number)
      if named.is_named(name):
        half = families.make(name).held_out()
        return half.task(number % half.num_tasks)
    raise errors.choice("task", name, ["probe", "sample", "test", *named.NAMES])


def card(known: Catalogue, name: str) -> dict[str, Any]:
  """Returns a task's scene as numbers, and its description for the player.

  Args:
    known: The tasks and agents.
    name: The task, as in `Catalogue.task`.

  Returns:
    "task", its name; "told", see `told.task`; "scene", see `frames.start`;
    "faults", for each agent the reason why it can't play the task, or "".

  Raises:
    UserError: If the task's world has no room for its objects.
  """
  task = known.task(name)
  return {
    "task": name,
    "faults": {agent: known.fault(agent, task) for agent in known.agents},
    "told": told.task(task, 0),
    "scene": frames.start(start(task), task.world.seed),
  }


def start(task: Task) -> Any:
  """Returns the scene of a task; see `scene.build_scene`.

  Raises:
    UserError: If the task's world has no room for its objects.
  """
  with errors.user_input(task.name):
    return scene.build_scene(task, max(1, task.num_objects), len(task.players))
