"""A factory of the store that a run's config names."""

import importlib.util
import logging
import os
import sys

from adaland.agent.replay import base, in_memory
from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec


def resolve_kind(kind: str) -> str:
  """Returns 'reverb' or 'memory' for a config's `kind`.

  Looks for Reverb without importing it, since that imports TensorFlow.

  Raises:
    ValueError: If Reverb is asked for and not installed.
  """
  installed = importlib.util.find_spec("reverb") is not None
  if kind == "auto":
    return "reverb" if installed else "memory"
  if kind == "reverb" and not installed:
    raise ValueError(
      "replay.kind is 'reverb', but Reverb is not installed in this Python "
      f"{sys.version_info.major}.{sys.version_info.minor} (its wheels end at "
      "3.11); use 'memory' or 'auto'."
    )
  return kind


def make_replay(
  config: ReplayConfig,
  spec: UnrollSpec,
  checkpoint_dir: str | None = None,
  seed: int = 0,
  hung_seconds: float = 60.0,
) -> base.Replay:
  """Makes the store, with the content of its last checkpoint, if any.

  Args:
    config: The store's settings.
    spec: Fields, shapes and dtypes of one unroll.
    checkpoint_dir: Where `checkpoint` wrote; None starts empty. A checkpoint
      that can't be read is renamed aside with a warning.
    seed: Seed of the in-memory store's draws.
    hung_seconds: Seconds without an answer after which a Reverb server is
      killed and restarted.

  Returns:
    A store that the caller owns and closes.
  """
  if resolve_kind(config.kind) == "reverb":
    from adaland.agent.replay.reverb import owner

    return owner.start_server(config, spec, checkpoint_dir, hung_seconds)
  replay = in_memory.InMemoryReplay(config, spec, seed)
  if checkpoint_dir is not None:
    _restore_or_set_aside(replay, checkpoint_dir)
  return replay


def _restore_or_set_aside(
  replay: in_memory.InMemoryReplay, checkpoint_dir: str
) -> None:
  try:
    replay.restore(checkpoint_dir)
  except FileNotFoundError:
    pass
  except ValueError as error:
    aside = set_aside(checkpoint_dir)
    logging.warning("%s Replay starts empty; moved to %s.", error, aside)


def set_aside(path: str) -> str:
  """Renames a broken checkpoint so that it is neither lost nor read again."""
  n = 1
  while os.path.exists(aside := f"{path}.broken-{n}"):
    n += 1
  os.rename(path, aside)
  return aside
