"""The presets as recipes: functions that return an experiment.

Each takes the user's own parts (`memory`, `curriculum`, `environment`,
`tasks`, as `Experiment` does) and changes of single settings:

    presets.laptop(memory=EMA, settings={"learner.learning_rate": 3e-4})
"""

from collections.abc import Mapping
from typing import Any, Unpack

from adaland.launch.config import preset_configs
from adaland.launch.recipes import recipe

__all__ = ["ada", "gpu", "laptop", "micro", "named", "smoke"]


def smoke(
  settings: Mapping[str, Any] | None = None, **parts: Unpack[recipe.Parts]
) -> recipe.Experiment:
  """Returns a run of two minutes at most, for any machine; it learns little."""
  return recipe.make(preset_configs.smoke(), settings, **parts)


def laptop(
  settings: Mapping[str, Any] | None = None, **parts: Unpack[recipe.Parts]
) -> recipe.Experiment:
  """Returns a half-hour run for two cores: find what makes the goal's object.

  Example::

    adaland.train(adaland.presets.laptop(), "runs/laptop")
  """
  return recipe.make(preset_configs.laptop(), settings, **parts)


def micro(
  settings: Mapping[str, Any] | None = None, **parts: Unpack[recipe.Parts]
) -> recipe.Experiment:
  """Returns a run of some minutes on one core, for the launcher "device"."""
  return recipe.make(preset_configs.micro(), settings, **parts)


def gpu(
  settings: Mapping[str, Any] | None = None, **parts: Unpack[recipe.Parts]
) -> recipe.Experiment:
  """Returns a one-day run for one accelerator, for the launcher "device"."""
  return recipe.make(preset_configs.gpu(), settings, **parts)


def ada(
  size: str,
  settings: Mapping[str, Any] | None = None,
  **parts: Unpack[recipe.Parts],
) -> recipe.Experiment:
  """Returns the paper's agent and tasks (AdA, arXiv 2301.07608).

  Args:
    size: One of `adaland.agent.sizes.PAPER_SIZES`, such as "23m".
    settings: New values by dotted name.
    **parts: The user's own parts, as in `Experiment`.
  """
  return recipe.make(preset_configs.ada(size), settings, **parts)


def named(
  name: str,
  settings: Mapping[str, Any] | None = None,
  **parts: Unpack[recipe.Parts],
) -> recipe.Experiment:
  """Returns the preset of a name, as in `--preset`.

  Raises:
    UserError: If there is no preset of this name.
  """
  return recipe.make(preset_configs.get(name), settings, **parts)
