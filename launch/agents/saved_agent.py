"""Reads saved agents, from a run or from a directory of `adaland export`.

The functions that make an agent are arguments, as the module that defines them
itself imports this one to read the agents that teach.
"""

import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from adaland.agent import types
from adaland.agent.checkpoint import checkpoint
from adaland.envs import land
from adaland.launch import errors
from adaland.launch.agents import agent_dir
from adaland.launch.config import json_codec, overrides, teaching
from adaland.launch.config.experiment import ExperimentConfig
from adaland.launch.run import rundir

# Network settings that must be the same in a teacher and its student.
_HEADS = "action_sizes"
# Folders with at most so many parts, such as /home, may hold several homes.
_SYSTEM_PARTS = 2


class SavedAgent(NamedTuple):
  """The agent in a run's newest checkpoint, or in an agent's directory.

  Attributes:
    config: The run's config.
    params: Parameters of the target network.
    training: The agent's training so far.
  """

  config: ExperimentConfig
  params: types.Params
  training: agent_dir.Training


def load_config(workdir: str, own_parts: bool = False) -> ExperimentConfig:
  """Reads the config of an agent.

  Args:
    workdir: A run's directory, an agent's, or "agent:NAME" for one that comes
      with the package.
    own_parts: True if code that the config names may be imported.

  Raises:
    UserError: If there is no agent, or its config is broken, or it names code
      that may not be imported.
  """
  path = agent_dir.find(workdir)
  if path is not None:
    experiment = agent_dir.read(path).config
  else:
    run = rundir.RunDir(workdir)
    content = run.read_config()
    with errors.user_input(str(run.config)):
      experiment = json_codec.from_json(ExperimentConfig, content)
  with errors.argument(f"workdir={workdir}"):
    experiment.factories.refuse_unless(own_parts)
  return experiment


def load(
  workdir: str,
  own_parts: bool,
  make_agent: Callable[[ExperimentConfig], Any],
  make_learner: Callable[[ExperimentConfig, types.Network], Any],
) -> SavedAgent:
  """Reads an agent.

  Args:
    workdir: As in `load_config`; of a run, the newest checkpoint is read.
    own_parts: True if code that the config names may be imported.
    make_agent: Makes an agent's functions.
    make_learner: Makes a learner's functions.

  Raises:
    UserError: If there is no agent, or it is broken, or its config names code
      that may not be imported.
  """
  experiment = load_config(workdir, own_parts)
  network = make_agent(experiment).network
  path = agent_dir.find(workdir)
  if path is None:
    params, training = _newest(workdir, make_learner(experiment, network).init)
  else:
    template = jax.eval_shape(network.init, jax.random.PRNGKey(0))
    params = agent_dir.read_params(path, template)
    training = agent_dir.read(path).training
  return SavedAgent(experiment, jax.device_put(params), training)


def _newest(
  workdir: str, init: Callable[..., Any]
) -> tuple[Any, agent_dir.Training]:
  """Returns the parameters in a run's newest checkpoint, and its training."""
  run = rundir.RunDir(workdir)
  template = {"train": jax.eval_shape(init, jax.random.PRNGKey(0))}
  with errors.argument(f"workdir={workdir}"):
    state, saved, updates = checkpoint.restore(run.checkpoints, template)
  with errors.of_another_form(str(run.checkpoints)):
    training = agent_dir.Training(
      int(saved["played"]["env_steps"]), updates, float(saved["seconds"])
    )
  return state["train"].target_params, training


def workdir_of(name: str) -> str:
  """Returns the `workdir` of an agent that a run's config names.

  Args:
    name: Name of an agent that comes with the package, with "agent:" before it
      or without, or a directory.

  Raises:
    UserError: If it is neither.
  """
  if agent_dir.is_shipped(name):
    return agent_dir.PREFIX + name.removeprefix(agent_dir.PREFIX)
  if not pathlib.Path(name).is_dir():
    shipped = agent_dir.names()
    raise errors.UserError(
      f"no such directory or agent, allowed: a run, an exported agent, or "
      f"{', '.join(shipped) or '(none)'}{errors.did_you_mean(name, shipped)}"
    )
  return name


def whole_path(name: str) -> str:
  """Returns an agent's absolute path, or its name if it is shipped.

  Args:
    name: See `workdir_of`.
  """
  return name if agent_dir.is_shipped(name) else os.path.abspath(name)


def published_name(name: str, workdir: str) -> str:
  """Returns an agent's name as an exported agent tells it.

  An exported agent is published; the folders of its author need not be. A path
  is shortened to its part below the folder that holds both this agent and the
  run, or to its last part if that folder is a system's or holds the home.

  Args:
    name: The agent, as a run's config records it (see `whole_path`).
    workdir: The directory of the run.
  """
  if agent_dir.is_shipped(name):
    return agent_dir.PREFIX + name.removeprefix(agent_dir.PREFIX)
  path = pathlib.Path(name)
  if not path.is_absolute():
    return name
  run = pathlib.Path(workdir).absolute()
  shared = pathlib.Path(os.path.commonpath([path.parent, run.parent]))
  home = pathlib.Path(os.path.expanduser("~"))  # "~" if the user has none.
  if len(shared.parts) <= _SYSTEM_PARTS or shared in home.parents:
    return agent_dir.public_name(name)
  return path.relative_to(shared).as_posix()


def published(config: ExperimentConfig, workdir: str) -> ExperimentConfig:
  """Returns the config of a run with the published names of other agents.

  Args:
    config: The run's config.
    workdir: Its directory.
  """
  changes = {}
  if config.run.start_from:
    name = published_name(config.run.start_from, workdir)
    changes["run.start_from"] = name
  if config.teaching.agent:
    name = published_name(config.teaching.agent, workdir)
    name = name.removeprefix(agent_dir.PREFIX)
    changes["teaching.teacher"] = teaching.AGENT + name
  return overrides.update(config, changes) if changes else config


def check_start(start: types.Params, params: types.Params) -> None:
  """Checks that a run can start from the parameters of an agent.

  Args:
    start: The agent's parameters.
    params: The run's parameters, or their shapes.

  Raises:
    UserError: If names or shapes differ; the message names the first one.
  """
  theirs, ours = (
    {
      jax.tree_util.keystr(path): tuple(leaf.shape)
      for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
    for tree in (start, params)
  )
  for name in sorted({*theirs, *ours}):
    if theirs.get(name) != ours.get(name):
      raise errors.UserError(
        f"its parameters {name} have shape {theirs.get(name, 'none')}, "
        f"allowed: this run's, {ours.get(name, 'none')} (see the `network` and "
        "`env` settings of both)"
      )


def check_bins(start: ExperimentConfig, config: ExperimentConfig) -> None:
  """Checks that values and rewards mean the same to a run and its start.

  Args:
    start: Config of the agent from which the run starts.
    config: The run's.

  Raises:
    UserError: If the bins of the heads stand for other numbers.
  """
  theirs, ours = (x.learner.muesli.value_range for x in (start, config))
  if theirs != ours:
    raise errors.UserError(
      f"its learner.muesli.value_range is {theirs}, allowed: this run's, "
      f"{ours} (the bins of values and rewards span it)"
    )


def check_teacher(teacher: ExperimentConfig, student: ExperimentConfig) -> None:
  """Checks that a student's observations and actions fit its teacher.

  Raises:
    UserError: If they do not; the message names the first difference.
  """
  theirs, ours = (getattr(each.network, _HEADS) for each in (teacher, student))
  if theirs != ours:
    raise errors.UserError(
      f"has action heads of sizes {theirs}, allowed: this run's, {ours}"
    )
  theirs, ours = (
    land.observation_spec(each.env) for each in (teacher, student)
  )
  for name in sorted({*theirs, *ours}):
    if theirs.get(name) != ours.get(name):
      raise errors.UserError(
        f"its observation {name!r} is {_text(theirs.get(name))}, allowed: this "
        f"run's, {_text(ours.get(name))} (see the `env` settings of both)"
      )


def _text(spec: tuple[tuple[int, ...], Any] | None) -> str:
  if spec is None:
    return "missing"
  shape, _ = spec
  return f"{list(shape)}"
