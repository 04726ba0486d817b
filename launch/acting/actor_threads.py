"""An actor: loops in threads of their own that infer together.

MuJoCo and JAX let go of Python's lock while they compute, so the threads use
several cores; what is left of Python bounds how many are of use.
"""

import threading
import time
from collections.abc import Callable

import jax

from adaland.launch.acting import actor_loop, inference

_FIRST_PARAMS_SECONDS = 0.05
# More than a thread waits for a store that is full.
_END_SECONDS = 30.0


class ActorThreads:
  """Plays in a thread for each seat of a batch.

  Args:
    batch: Those who infer together.
    make_loop: From a thread's number and its seat, what it plays.
  """

  def __init__(
    self,
    batch: inference.Batch,
    make_loop: Callable[[int, inference.Seat], actor_loop.ActorLoop],
  ):
    self._batch = batch
    self._make_loop = make_loop
    self._lock = threading.Lock()
    self._failure: Exception | None = None

  def run(self, stop: threading.Event) -> None:
    """Plays until told to stop; waits for parameters before the first step.

    Args:
      stop: Set when it is enough; set here when a thread fails.

    Raises:
      Exception: What the first thread that failed raised, as ConnectionError
        when the learner's side goes away. The other threads end too.
    """
    threads = [
      # Daemons: one that hangs does not keep the process from ending.
      threading.Thread(target=self._play, args=(i, seat, stop), daemon=True)
      for i, seat in enumerate(self._batch.seats)
    ]
    for thread in threads:
      thread.start()
    stop.wait()
    self._batch.abort()
    deadline = time.monotonic() + _END_SECONDS
    for thread in threads:
      thread.join(max(0.0, deadline - time.monotonic()))
    if self._failure is not None:
      raise self._failure

  def _play(
    self, index: int, seat: inference.Seat, stop: threading.Event
  ) -> None:
    try:
      # The game engine stays by MuJoCo; only the network goes elsewhere.
      with jax.default_device(inference.host()):
        loop = self._make_loop(index, seat)
        while not stop.is_set() and not loop.has_params():
          time.sleep(_FIRST_PARAMS_SECONDS)
        try:
          while not stop.is_set():
            loop.step()
        except threading.BrokenBarrierError:
          pass  # It is over.
        loop.close()
    except Exception as error:
      with self._lock:
        self._failure = self._failure or error
    finally:
      stop.set()
