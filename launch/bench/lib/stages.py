"""Time of each stage of a step of `Land`, measured from outside.

Each call is waited for, so stages do not overlap, and their sum exceeds the
time of an undisturbed step.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from adaland.envs import land
from adaland.launch.bench.lib import stopwatch

# Stages of the environments' jitted functions, by name; a function that is not
# listed counts as its own stage.
_STAGES = {
  "control": "control",
  "sight_lines": "sight",
  "finish": "finish",
  "advance": "finish",
  "restart": "renew",
  "observe": "renew",
  "draw": "shading",
}
# Stages that are neither the game engine's nor the observations'.
_NOT_ENGINE = ("physics", "sight_rays", "picture_rays", "load", "host")


def stage_ms(
  world: land.Land, step: Callable[[], object], seconds: float
) -> dict[str, float]:
  """Measures the milliseconds of each stage, on average over many steps.

  Args:
    world: The environments.
    step: Steps the environments once and waits for the observations.
    seconds: Length of the measurement.

  Returns:
    Milliseconds by stage: `control`; `physics`: the substeps and the poses
    after them; `sight`: which objects see each other, and its rays,
    `sight_rays`; `finish`: the game engine and the observations; `renew`:
    starting trials and episodes, and their observations; `load`: writing new
    tasks and objects to the device; `picture_rays`; `shading`. `step` is the
    whole, and `host` its remainder: Python between the calls, drawing tasks.
  """
  watch = stopwatch.Stopwatch()
  for module, name in _jitted():
    watch.watch(module, name, _STAGES.get(name, name))
  physics = world.physics
  wait = getattr(physics, "wait", lambda: None)
  for name, stage in _calls(physics):
    watch.watch(physics, name, stage, wait)
  count, start = 0, time.perf_counter()
  try:
    while not count or time.perf_counter() < start + seconds:
      step()
      count += 1
  finally:
    watch.stop()
  whole = time.perf_counter() - start
  taken = dict(watch.seconds)
  taken["host"] = whole - sum(taken.values())
  taken["step"] = whole
  return {name: 1e3 * value / count for name, value in taken.items()}


def _jitted() -> Iterator[tuple[Any, str]]:
  """Yields all jitted functions of the environments' modules."""
  for path, module in sorted(sys.modules.items()):
    if path.startswith("adaland.envs."):
      for name, value in list(vars(module).items()):
        if callable(value) and hasattr(value, "lower"):
          yield module, name


def _calls(physics: Any) -> Iterator[tuple[str, Any]]:
  """Yields the methods of physics with the stage that each belongs to."""
  for name in dir(type(physics)):
    if name.startswith("_") or name == "wait":
      continue
    if not callable(getattr(physics, name)):
      continue
    if name.startswith("rays"):
      yield name, _ray_stage
    elif name in ("load", "restore") or name.startswith("set_"):
      yield name, "load"
    else:
      yield name, "physics"


def _ray_stage(*args, normals: bool = False, **kwargs) -> str:
  """Returns the stage of rays: only pictures request normals."""
  asked = normals or any(argument is True for argument in args[3:4])
  return "picture_rays" if asked else "sight_rays"


def engine_ratio(stages_ms: dict[str, float]) -> float:
  """Returns the game engine's and observations' share of a whole step.

  Shading counts as observations, rays as physics.

  Args:
    stages_ms: Result of `stage_ms`.
  """
  engine = sum(
    taken
    for name, taken in stages_ms.items()
    if name not in _NOT_ENGINE and name != "step"
  )
  return engine / stages_ms["step"]
