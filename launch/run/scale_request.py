"""Changing the number of actors of a run: asked for by a file in its directory.

A file reaches the process that trains whatever launcher it uses, over a
shared file system too, and asks for no connection that could be closed.
"""

import dataclasses
import json
import logging

from adaland.launch import cli, errors
from adaland.launch.config import experiment as config
from adaland.launch.run import rundir

FORMAT = "adaland.scale/1"
_NAME = "scale.json"


def request(run: rundir.RunDir, num_actors: int) -> None:
  """Asks for a number of actors.

  Raises:
    UserError: If a run can't have so many.
  """
  with errors.user_input():
    config.ActorConfig(num_actors=num_actors)
  content = {"format": FORMAT, "num_actors": num_actors}
  cli.write_atomically(str(run.path / _NAME), json.dumps(content))


def forget(run: rundir.RunDir) -> None:
  """Drops what was asked for: of an earlier start of the run."""
  (run.path / _NAME).unlink(missing_ok=True)


def take(
  run: rundir.RunDir, experiment: config.ExperimentConfig
) -> config.ExperimentConfig | None:
  """What was asked for since the last call, as a config; None if nothing was.

  The run's `config.json` is changed as well.
  """
  path = run.path / _NAME
  try:
    content = json.loads(path.read_text())
  except FileNotFoundError:
    return None
  except (OSError, RecursionError, ValueError) as error:
    logging.warning("%s: %s", path, error)
    return None
  forget(run)
  try:
    if content["format"] != FORMAT:
      raise ValueError(f"the format is not {FORMAT!r}")
    scaled = dataclasses.replace(
      experiment,
      actor=dataclasses.replace(
        experiment.actor, num_actors=int(content["num_actors"])
      ),
    )
  except (KeyError, OverflowError, TypeError, ValueError) as error:
    logging.warning("%s: %s", path, error)
    return None
  run.write_config(scaled)
  return scaled
