"""A run's directory: what lies where, and who may use it.

config.json    the ExperimentConfig, with a format tag
checkpoints/   learner, curriculum, counters, replay; newest last
metrics.jsonl, tensorboard/
logs/          output of the child processes
lock           held while a `train` works here
"""

import fcntl
import json
import pathlib
from collections.abc import Collection
from typing import IO, Any

from launch import cli, config_json, errors

FORMAT = "adaland.run/1"


class RunDir:
  """Paths inside a run's directory."""

  def __init__(self, path: str):
    self.path = pathlib.Path(path).absolute()
    self.config = self.path / "config.json"
    self.checkpoints = self.path / "checkpoints"
    self.logs = self.path / "logs"

  def exists(self) -> bool:
    """Whether a run was begun here."""
    return self.config.is_file()

  def read_config(self) -> dict[str, Any]:
    """Returns the run's config as JSON gave it.

    Raises:
      UserError: If there is no run here, or its config can't be read.
    """
    if not self.path.is_dir():
      raise errors.UserError(
        f"--workdir={self.path}: no such directory; train makes one"
      )
    if not self.exists():
      raise errors.UserError(
        f"--workdir={self.path}: not a run of launch.train (no config.json)"
      )
    with errors.user_input(str(self.config)):
      content = json.loads(self.config.read_text())
      if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise errors.UserError(f"the format is not {FORMAT!r}")
      return content["config"]

  def begin(self, config: Any, free_fields: Collection[str] = ()) -> None:
    """Makes the directory of a new run, or checks that this one is the same.

    A run that ended before its first row of metrics may get another config.

    Args:
      config: The run's config.
      free_fields: Dotted names of fields that may differ from the run's; the
        new values are kept.

    Raises:
      UserError: If the directory holds something else, or a run of another
        config.
    """
    wanted = config_json.to_json(config)
    if self.exists() and self._has_trained():
      found = [
        text
        for text in config_json.differences(wanted, self.read_config())
        if text.partition(":")[0] not in free_fields
      ]
      if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise errors.UserError(
          f"--workdir={self.path}: the run there has another config: "
          f"{found[0]}{more}; choose another directory or the same settings"
        )
    elif (
      not self.exists()
      and self.path.exists()
      and (not self.path.is_dir() or any(self.path.iterdir()))
    ):
      raise errors.UserError(
        f"--workdir={self.path}: exists, is not empty and is not a run of "
        "launch.train; choose another directory"
      )
    with errors.user_input("--workdir"):
      self.path.mkdir(parents=True, exist_ok=True)
      self.checkpoints.mkdir(exist_ok=True)
      self.logs.mkdir(exist_ok=True)
      if not self.exists() or self.read_config() != wanted:
        content = {"format": FORMAT, "config": wanted}
        cli.write_atomically(
          str(self.config), json.dumps(content, indent=1) + "\n"
        )

  def _has_trained(self) -> bool:
    """Whether there is anything that another config would contradict."""
    metrics = self.path / "metrics.jsonl"
    return metrics.exists() and metrics.stat().st_size > 0

  def lock(self) -> IO[str]:
    """Takes the directory for this process, until the file is closed.

    Raises:
      UserError: If another process trains here.
    """
    file = open(self.path / "lock", "w")  # noqa: SIM115 (held by the caller)
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      file.close()
      raise errors.UserError(
        f"--workdir={self.path}: another train is running there"
      ) from error
    return file
