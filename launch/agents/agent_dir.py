"""An agent's directory: its files, and the agents that come with the package.

agent.json           config and training, with a format tag
weights.safetensors  parameters
README.md            the card
scores.png           score by trial, if there were evaluations

Reading them executes none of their content.
"""

import json
import pathlib
import shutil
import tempfile
import typing
from typing import Any, NamedTuple

import adaland
from adaland.agent import types
from adaland.agent.checkpoint import weights
from adaland.envs.tasks import json_checks
from adaland.launch import errors, output
from adaland.launch.config import json_codec
from adaland.launch.config.experiment import ExperimentConfig

FORMAT = "adaland.agent/1"
FAMILY = "adaland.agent/"
PREFIX = "agent:"
_AGENT = "agent.json"
_WEIGHTS = "weights.safetensors"
# Fields of the training that agents of earlier versions lack.
_LATER = ("averaged", "temperature")
CARD = "README.md"
FIGURE = "scores.png"
# Agents that come with the package, each a folder.
SHIPPED = pathlib.Path(adaland.__path__[0], "agents")


class Training(NamedTuple):
  """The training of an agent.

  Attributes:
    env_steps: Environment steps of acting.
    updates: Updates of the learner.
    seconds: Wall time.
    hardware: The machine, in words; empty if not recorded.
    averaged: Other agents. The parameters are the mean of the trained ones and
      theirs.
    temperature: The number that divided the policy's logits after training.
  """

  env_steps: int
  updates: int
  seconds: float
  hardware: str = ""
  averaged: tuple[str, ...] = ()
  temperature: float = 1.0


class Description(NamedTuple):
  """The content of agent.json.

  Attributes:
    name: The agent's name.
    config: The config of its run.
    training: The agent's training.
  """

  name: str
  config: ExperimentConfig
  training: Training


def names() -> list[str]:
  """Returns the names of the agents that come with the package."""
  return sorted(path.parent.name for path in SHIPPED.glob(f"*/{_AGENT}"))


def is_shipped(name: str) -> bool:
  """Returns True for an agent that comes with the package.

  Args:
    name: Its name, with "agent:" before it or without.
  """
  return name.removeprefix(PREFIX) in names()


def find(workdir: str) -> pathlib.Path | None:
  """Returns the directory of an agent; None if there is none at `workdir`.

  Args:
    workdir: "agent:NAME", or a path.

  Raises:
    UserError: If no agent of that name comes with the package.
  """
  if not workdir.startswith(PREFIX):
    path = pathlib.Path(workdir).absolute()
    return path if (path / _AGENT).is_file() else None
  name = workdir.removeprefix(PREFIX)
  if name not in names():
    raise errors.choice(
      f"workdir={workdir}", name, names() or ["(none)"], errors.ArgumentError
    )
  return SHIPPED / name


def public_name(path: str) -> str:
  """Returns the name by which users refer to an agent.

  Args:
    path: The agent's directory, which need not exist yet.
  """
  folder = pathlib.Path(path).absolute()
  is_shipped = folder.parent.resolve() == SHIPPED.resolve()
  return f"{PREFIX}{folder.name}" if is_shipped else folder.name


def read(path: pathlib.Path) -> Description:
  """Reads an agent's description.

  Raises:
    UserError: If the file is broken, or of another version.
  """
  file = path / _AGENT
  with errors.user_input(str(file)):
    content = json_checks.load(file)
    experiment = json_codec.from_json(ExperimentConfig, config_of(content))
    with errors.of_another_form("training"):
      training = _training(content["training"])
    name = json_codec.convert(str, content.get("name"), "name")
  return Description(name, experiment, training)


def config_of(content: Any) -> Any:
  """Returns the config that an `agent.json` holds.

  Raises:
    UserError: If it is not the content of an agent's file.
  """
  _check_format(content)
  if "config" not in content:
    raise errors.UserError("it has no 'config'")
  return content["config"]


def _check_format(content: Any) -> None:
  """Raises UserError unless the content is of this version."""
  found = content.get("format") if isinstance(content, dict) else None
  if found == FORMAT:
    return
  if isinstance(found, str) and found.startswith(FAMILY):
    raise errors.UserError(
      f"the agent is of format {errors.shown(found)}, allowed: {FORMAT!r}; "
      "another version of Adaland wrote it"
    )
  raise errors.UserError(f"the format is not {FORMAT!r}")


def _training(content: Any) -> Training:
  hints = typing.get_type_hints(Training)
  return Training(
    **{
      name: json_codec.convert(hint, content[name], f"training.{name}")
      for name, hint in hints.items()
      if name in content or name not in _LATER
    }
  )


def read_params(path: pathlib.Path, template: types.Params) -> types.Params:
  """Reads an agent's parameters.

  Args:
    path: Its directory.
    template: Structure, shapes and dtypes of the network's parameters.

  Raises:
    UserError: If the file is missing, damaged, or of another network.
  """
  file = path / _WEIGHTS
  with errors.user_input(str(file)):
    return weights.read(file, template)


def check_out(out: str) -> None:
  """Raises UserError unless a directory can be made at `out`."""
  if out.startswith(PREFIX):
    raise errors.UserError(
      f"--out={out}: means an agent of the package, allowed: a directory"
    )
  path = pathlib.Path(out).absolute()
  if path.exists() and (not path.is_dir() or any(path.iterdir())):
    raise errors.UserError(
      f"--out={out}: exists; choose another name, or an empty directory"
    )
  if not path.parent.is_dir():
    raise errors.UserError(
      f"--out={out}: directory {path.parent} does not exist"
    )


def write(
  out: str,
  description: Description,
  params: types.Params,
  card: str,
  figure: bytes | None = None,
  half: bool = False,
) -> None:
  """Writes a directory, completely or not at all.

  Args:
    out: Its path, where there is nothing, or an empty directory.
    description: The content of agent.json.
    params: Its parameters.
    card: Content of the card.
    figure: Score by trial, a PNG.
    half: True to store the parameters as float16, see `weights.encode`.

  Raises:
    UserError: If `out` exists, or a parameter is not finite, or too large for
      float16.
    OSError: If it can't be written.
  """
  check_out(out)
  path = pathlib.Path(out).absolute()
  content = {
    "format": FORMAT,
    "version": adaland.__version__,
    "name": description.name,
    "training": description.training._asdict(),
    "config": json_codec.to_json(description.config),
  }
  # Reading would refuse parameters that are not finite.
  with errors.user_input("the run has diverged"):
    weights.check_finite(params)
  with errors.user_input("--half"):
    encoded = weights.encode(params, half)
  files = {
    _AGENT: json.dumps(content, indent=1) + "\n",
    _WEIGHTS: encoded,
    CARD: card,
  }
  if figure is not None:
    files[FIGURE] = figure
  with errors.named(str(path)):
    temporary = pathlib.Path(
      tempfile.mkdtemp(dir=path.parent, prefix=output.PARTIAL)
    )
  try:
    for name, data in files.items():
      output.write_atomically(str(temporary / name), data)
    temporary.chmod(0o755)
    temporary.rename(path)  # Replaces an empty directory.
  except BaseException:
    shutil.rmtree(temporary, ignore_errors=True)
    raise
