"""The physics back ends by name, and checks that they can run here."""

import ctypes
import importlib.util
from typing import Any, Final

from adaland.envs.physics import base, cpu

BACKENDS: Final = ("cpu", "gpu")
DEVICES: Final = ("cuda", "cpu")


def check(backend: str, device: str) -> None:
  """Raises ValueError if a back end cannot run on this machine.

  Args:
    backend: One of BACKENDS.
    device: Device of the gpu back end, one of DEVICES.
  """
  if backend == "cpu":
    return
  if not importlib.util.find_spec("mujoco_warp"):
    raise ValueError(
      "backend is 'gpu', which needs a package that is not installed here "
      "(pip install mujoco-warp==4.0.0), allowed: cpu"
    )
  if device == "cpu":
    return
  if not has_cuda():
    raise ValueError(
      "backend is 'gpu', but no CUDA device can be used here (install NVIDIA's "
      "driver), allowed: cpu, or to try it out slowly gpu with device 'cpu'"
    )


def check_memory(
  backend: str, device: str, num_envs: int, num_slots: int, num_players: int
) -> None:
  """Raises ValueError if a device lacks the memory for a batch of worlds.

  The arguments are those of `make`. The host's memory is not checked.
  """
  if backend == "cpu" or device == "cpu":
    return
  warp = _warp()
  from adaland.envs.physics.gpu import memory

  need = memory.needed_initially(num_envs, num_slots, num_players)
  memory.check(num_envs, need, warp.get_device(device).free_memory)


def has_cuda() -> bool:
  """Returns True if Warp finds a CUDA device."""
  try:  # Without a driver, Warp would print warnings.
    ctypes.CDLL("libcuda.so.1")
  except OSError:
    return False
  return _warp().is_cuda_available()


def _warp() -> Any:
  """Imports Warp, which takes seconds and is not needed by most runs."""
  import warp

  # Warp would print a greeting to stdout, where commands print results.
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
  """Makes a batch of worlds.

  Args:
    backend: One of BACKENDS.
    num_envs: Number of worlds.
    num_slots: Number of object slots in a world.
    num_players: Number of players in a world.
    num_threads: Number of threads of the cpu back end; None for all cores.
    device: Device of the gpu back end, one of DEVICES.

  Raises:
    ValueError: If the back end cannot run on this machine.
  """

  if backend == "cpu":
    return cpu.CpuPhysics(num_envs, num_slots, num_players, num_threads)
  check(backend, device)
  from adaland.envs.physics.gpu import physics

  return physics.GpuPhysics(num_envs, num_slots, num_players, device)
