"""Registration of Adaland's environments with Gymnasium.

Entry points are strings, so that registration imports neither JAX nor MuJoCo.
"""

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence

NAMES = ("Probe", "File", "Train", "Test")
_REGISTRY = "gymnasium.envs.registration"
_MAKE = f"{__package__}.gymnasium_make"


def register() -> None:
  """Registers the ids `adaland/NAME-v0`, once; imports Gymnasium."""
  from gymnasium.envs import registration

  for name in NAMES:
    env_id = f"adaland/{name}-v0"
    if env_id not in registration.registry:
      registration.register(
        env_id,
        entry_point=f"{_MAKE}:make",
        vector_entry_point=f"{_MAKE}:make_vec",
        kwargs={"source": name},
      )


def register_with_gymnasium() -> None:
  """Registers the ids now if Gymnasium is imported, else once it is.

  Importing Gymnasium takes a quarter of a second, which users of other
  interfaces need not spend.
  """
  if _REGISTRY in sys.modules:
    register()
  elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.insert(0, _Finder())


class _Finder:
  """An import finder that registers the ids after Gymnasium's registry."""

  def find_spec(
    self,
    name: str,
    path: Sequence[str] | None = None,
    target: types.ModuleType | None = None,
  ) -> importlib.machinery.ModuleSpec | None:
    """Finds only Gymnasium's registry, through the other finders."""
    del path, target
    if name != _REGISTRY:
      return None
    sys.meta_path.remove(self)
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
      return spec
    execute = spec.loader.exec_module

    def execute_and_register(module: types.ModuleType) -> None:
      execute(module)
      register()

    spec.loader.exec_module = execute_and_register
    return spec
