"""The directory of a run: its files, and the lock on it.

config.json    the ExperimentConfig, with a format tag
checkpoints/   learner, drawn batch, curriculum, counters; newest last
coplayers/     snapshots of the agent that are co-players in tasks for two
metrics.jsonl, tensorboard/
logs/          output of the roles with processes of their own
lock           held while a `train` process runs here

Other modules add files; docs/training.md lists all of them.
"""

import fcntl
import json
import os
import pathlib
from collections.abc import Collection
from typing import IO, Any

from adaland.agent.checkpoint import checkpoint
from adaland.envs.tasks import json_checks
from adaland.launch import errors, output
from adaland.launch.config import json_codec

# The format needs a new number when a config without a new field did not mean
# the field's default, as runs are continued with the default.
FORMAT = "adaland.run/2"
FAMILY = "adaland.run/"
_LOCK = "lock"


def config_of(content: Any) -> Any:
  """Returns the config that a `config.json` holds.

  Raises:
    UserError: If it is not the content of a config file.
  """
  found = content.get("format") if isinstance(content, dict) else None
  if found != FORMAT:
    if isinstance(found, str) and found.startswith(FAMILY):
      raise errors.UserError(
        f"the run is of format {errors.shown(found)}, allowed: {FORMAT!r}; "
        "it can be continued with the version of Adaland that started it"
      )
    raise errors.UserError(f"the format is not {FORMAT!r}")
  if "config" not in content:
    raise errors.UserError("it has no 'config'")
  return content["config"]


def path_of(workdir: Any, allowed: str = "a path") -> str:
  """Returns the `workdir` that a user of the library gave.

  Args:
    workdir: The argument.
    allowed: The allowed values, for the error.

  Raises:
    UserError: If it is no path, or empty.
  """
  if not isinstance(workdir, (str, os.PathLike)) or not os.fspath(workdir):
    raise errors.UserError(
      f"workdir is {errors.shown(workdir)}, allowed: {allowed}"
    )
  return os.fspath(workdir)


class RunDir:
  """The directory of a run.

  Args:
    path: The directory, which need not exist.
  """

  def __init__(self, path: str):
    self.path = pathlib.Path(path).absolute()
    self.config = self.path / "config.json"
    self.checkpoints = self.path / "checkpoints"
    self.logs = self.path / "logs"

  def exists(self) -> bool:
    """Returns True if there is a run here."""
    return self.config.is_file()

  def read_config(self) -> dict[str, Any]:
    """Returns the run's config as a JSON object.

    Raises:
      UserError: If there is no run here, or its config can't be read.
    """
    if not self.path.is_dir():
      raise errors.ArgumentError(
        f"workdir={self.path}: no such directory; adaland train creates one"
      )
    if not self.exists():
      raise errors.ArgumentError(
        f"workdir={self.path}: not a run of adaland train (no config.json)"
      )
    with errors.user_input(str(self.config)):
      return config_of(json_checks.load(self.config))

  def begin(self, config: Any, free_fields: Collection[str] = ()) -> IO[str]:
    """Creates the directory of a new run, or checks that the run is the same.

    A run that ended before its first row of metrics may get another config.

    Args:
      config: The run's config.
      free_fields: Dotted names of fields that may differ from the run's; the
        new values are kept.

    Returns:
      A lock on the directory, held until it is closed.

    Raises:
      UserError: If the directory holds other files, or a run of another
        config, or another process trains there.
    """
    self._check(config, free_fields)
    with errors.argument("workdir"):
      self.path.mkdir(parents=True, exist_ok=True)
    lock = self._lock()
    with errors.argument("workdir"):
      self.checkpoints.mkdir(exist_ok=True)
      self.logs.mkdir(exist_ok=True)
      wanted = json_codec.to_json(config)
      if not self.exists() or self.read_config() != wanted:
        self.write_config(config)
    return lock

  def differences(
    self, config: Any, free_fields: Collection[str] = ()
  ) -> list[str]:
    """Returns how a config differs from the run's, one text per field.

    Fields that are newer than the run count as having their defaults there.

    Args:
      config: The config.
      free_fields: Dotted names of fields that may differ.

    Raises:
      UserError: If there is no run here, or its config can't be read.
    """
    recorded = self.read_config()
    with errors.user_input(str(self.config)):
      begun = json_codec.from_json(type(config), recorded)
    return [
      text
      for text in json_codec.differences(
        json_codec.to_json(config), json_codec.to_json(begun)
      )
      if text.partition(":")[0] not in free_fields
    ]

  def write_config(self, config: Any) -> None:
    """Replaces the run's config."""
    content = {"format": FORMAT, "config": json_codec.to_json(config)}
    output.write_atomically(
      str(self.config), json.dumps(content, indent=1) + "\n"
    )

  def is_locked(self) -> bool:
    """Returns True while a `train` process runs here."""
    try:
      with open(self.path / _LOCK) as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
      return False
    except BlockingIOError:
      return True
    return False

  def _check(self, config: Any, free_fields: Collection[str]) -> None:
    """Raises UserError unless a run of this config may use the directory."""
    # Reading comes first: it refuses runs of other versions.
    recorded = self.read_config() if self.exists() else None
    if recorded is not None and self._has_trained():
      found = self.differences(config, free_fields)
      if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise errors.ArgumentError(
          f"workdir={self.path}: the run there has another config: "
          f"{found[0]}{more}; choose another directory or the same settings"
        )
    elif (
      recorded is None
      and self.path.exists()
      and (not self.path.is_dir() or self._has_other_files())
    ):
      raise errors.ArgumentError(
        f"workdir={self.path}: exists, is not empty and is not a run of "
        "adaland train; choose another directory"
      )

  def _has_other_files(self) -> bool:
    """Returns True if there are files other than those of a run's start."""
    ours = {self.checkpoints.name, self.logs.name, _LOCK}
    with errors.argument("workdir"):
      # A killed writer leaves a partial file.
      return any(
        path.name not in ours and not path.name.startswith(output.PARTIAL)
        for path in self.path.iterdir()
      )

  def _has_trained(self) -> bool:
    """Returns True if the run has trained, so that its config is fixed."""
    metrics = self.path / "metrics.jsonl"
    return (metrics.exists() and metrics.stat().st_size > 0) or bool(
      checkpoint.steps(self.checkpoints)
    )

  def _lock(self) -> IO[str]:
    with errors.argument("workdir"):
      file = open(self.path / _LOCK, "a")  # noqa: SIM115 (held by the caller)
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      file.close()
      raise errors.ArgumentError(
        f"workdir={self.path}: another training process is running there"
      ) from error
    except OSError as error:
      # Some clusters mount file systems without locks.
      file.close()
      raise errors.ArgumentError(
        f"workdir={self.path}: can't be locked ({error.strerror}), allowed: a "
        "directory on a file system with locks (flock)"
      ) from error
    return file
