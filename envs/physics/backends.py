"""The physics back ends by name, and whether one can run here."""

import ctypes
import importlib.util
from typing import Any, Final

from adaland.envs.physics import base, cpu

BACKENDS: Final = ("cpu", "gpu")
DEVICES: Final = ("cuda", "cpu")


def check(backend: str, device: str) -> None:
  """Raises ValueError if a back end can't run on this machine.

  Args:
    backend: One of BACKENDS.
    device: Where the gpu back end runs, one of DEVICES.
  """
  if backend == "cpu":
    return
  if not importlib.util.find_spec("mujoco_warp"):
    raise ValueError(
      "backend is 'gpu', which needs a package that is not installed here: "
      "pip install mujoco-warp==4.0.0; allowed without: cpu"
    )
  if device == "cpu":
    return
  if not _has_cuda():
    raise ValueError(
      "backend is 'gpu', but no CUDA device can be used here: install NVIDIA's "
      "driver; allowed without: cpu, or the gpu back end with device 'cpu' to "
      "try it out slowly"
    )


def check_memory(
  backend: str, device: str, num_envs: int, num_slots: int, num_players: int
) -> None:
  """Raises ValueError if an accelerator has no room for a batch of worlds.

  The arguments are those of `make`; a processor's memory is not looked at.
  """
  if backend == "cpu" or device == "cpu":
    return
  warp = _warp()
  from adaland.envs.physics.gpu import memory

  need = memory.needed_at_first(num_envs, num_slots, num_players)
  memory.check(num_envs, need, warp.get_device(device).free_memory)


def _has_cuda() -> bool:
  """Whether Warp finds a device; it would complain of a missing driver."""
  try:
    ctypes.CDLL("libcuda.so.1")
  except OSError:
    return False
  return _warp().is_cuda_available()


def _warp() -> Any:
  """Warp, imported late: it takes seconds, and most runs never need it."""
  import warp

  # Its greeting would go to stdout, where commands give results.
  warp.config.log_level = warp.LOG_ERROR
  return warp


def make(
  backend: str,
  num_envs: int,
  num_slots: int,
  num_players: int = 1,
  num_threads: int | None = None,
  device: str = "cuda",
) -> base.Physics:
  """A batch of worlds.

  Args:
    backend: One of BACKENDS.
    num_envs: Worlds.
    num_slots: Object slots a world.
    num_players: Players a world.
    num_threads: Of the cpu back end; None takes all cores.
    device: Of the gpu back end, one of DEVICES.

  Raises:
    ValueError: If that can't be had on this machine.
  """
  if backend == "cpu":
    return cpu.CpuPhysics(num_envs, num_slots, num_players, num_threads)
  check(backend, device)
  from adaland.envs.physics.gpu import physics

  return physics.GpuPhysics(num_envs, num_slots, num_players, device)
