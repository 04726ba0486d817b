"""An open platform for adaptive agents in procedurally generated 3D tasks.

    import adaland

    env = adaland.make("laptop", num_envs=64, seed=0)
    step = env.reset()
    step = env.step(my_policy(step))
    print(adaland.evaluate(my_policy, "laptop", trials=(1, 2, 4)))
    adaland.train(adaland.presets.laptop(), "runs/laptop")

Each name is imported at its first use, since JAX and MuJoCo take seconds.
Importing this package registers environments with Gymnasium.
"""

import importlib
from typing import TYPE_CHECKING, Any

from adaland.envs.adaptors import registration

if TYPE_CHECKING:
  from adaland.envs.land_types import Step
  from adaland.envs.sampling import families
  from adaland.envs.sampling.families import TaskFamily
  from adaland.envs.tasks.task import Task
  from adaland.launch.api import evaluate, make, train
  from adaland.launch.evaluation import policies
  from adaland.launch.evaluation.policies import Policy
  from adaland.launch.evaluation.scores import Evaluation
  from adaland.launch.evaluation.trained_agent import TrainedAgent, load_agent
  from adaland.launch.recipes import presets
  from adaland.launch.recipes.recipe import Experiment

__version__ = "0.1.0"

__all__ = [
  "Evaluation",
  "Experiment",
  "Policy",
  "Step",
  "Task",
  "TaskFamily",
  "TrainedAgent",
  "__version__",
  "evaluate",
  "families",
  "load_agent",
  "make",
  "policies",
  "presets",
  "train",
]

# The module of each name. A public module's own entry ends in its name.
_HOMES = {
  "Evaluation": "launch.evaluation.scores",
  "Experiment": "launch.recipes.recipe",
  "Policy": "launch.evaluation.policies",
  "Step": "envs.land_types",
  "Task": "envs.tasks.task",
  "TaskFamily": "envs.sampling.families",
  "TrainedAgent": "launch.evaluation.trained_agent",
  "evaluate": "launch.api",
  "families": "envs.sampling.families",
  "load_agent": "launch.evaluation.trained_agent",
  "make": "launch.api",
  "policies": "launch.evaluation.policies",
  "presets": "launch.recipes.presets",
  "train": "launch.api",
}


def __getattr__(name: str) -> Any:
  """Imports a public name."""
  if name not in _HOMES:
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
  home = _HOMES[name]
  module = importlib.import_module(f"{__name__}.{home}")
  found = module if home.endswith(f".{name}") else getattr(module, name)
  globals()[name] = found
  return found


def __dir__() -> list[str]:
  """Returns the public names and the imported sub-packages."""
  return sorted({*globals(), *__all__})


registration.register_with_gymnasium()
