"""What each stage of a step of `Land` takes, measured from outside.

Each call is waited for, so that its time is its own. Stages then overlap with
nothing, and their sum is more than the step takes when it is left alone.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from adaland.envs import land
from adaland.launch.bench.lib import stopwatch

# Which stage a jitted function of the environments belongs to, by its name; one
# that is not here counts as a stage of its own.
_STAGES = {
  "control": "control",
  "sight_lines": "sight",
  "finish": "finish",
  "advance": "finish",
  "restart": "renew",
  "observe": "renew",
  "draw": "shading",
}
# What is not the game engine's or the observations' doing; nor is `host`.
_NOT_ENGINE = ("physics", "sight_rays", "picture_rays", "load", "host")


def stage_ms(
  world: land.Land, step: Callable[[], object], seconds: float
) -> dict[str, float]:
  """Milliseconds of each stage of a step, on average over many.

  Args:
    world: The environments.
    step: Steps them once, and waits for what they show.
    seconds: Time for it.

  Returns:
    Of each stage that occurred: `control`; `physics`: the substeps and the
    poses after them; `sight`: who sees whom, and its rays, `sight_rays`;
    `finish`: the game engine and what is observed; `renew`: trials and
    episodes that start, and what is observed there; `load`: new tasks and
    objects written to the device; `picture_rays`; `shading`. `host` is what is
    left of `step`, the whole: Python between the calls, drawing tasks.
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
  """All jitted functions of the environments' modules."""
  for path, module in sorted(sys.modules.items()):
    if path.startswith("adaland.envs."):
      for name, value in list(vars(module).items()):
        if callable(value) and hasattr(value, "lower"):
          yield module, name


def _calls(physics: Any) -> Iterator[tuple[str, Any]]:
  """What physics can be asked to do, and the stage that it counts to."""
  for name in dir(type(physics)):
    if name.startswith("_") or name == "wait":
      continue
    if not callable(getattr(physics, name)):
      continue
    if name.startswith("rays"):
      yield name, _which_rays
    elif name in ("load", "restore") or name.startswith("set_"):
      yield name, "load"
    else:
      yield name, "physics"


def _which_rays(*args, normals: bool = False, **kwargs) -> str:
  """Only pictures ask for normals."""
  asked = normals or any(argument is True for argument in args[3:4])
  return "picture_rays" if asked else "sight_rays"


def engine_ratio(stages_ms: dict[str, float]) -> float:
  """Share of the game engine and of making observations in a whole step.

  Shading counts to the observations; rays count to physics.

  Args:
    stages_ms: What `stage_ms` returned.
  """
  engine = sum(
    taken
    for name, taken in stages_ms.items()
    if name not in _NOT_ENGINE and name != "step"
  )
  return engine / stages_ms["step"]
