"""Times what an object does from outside, call by call, by name."""

import time
from collections.abc import Callable
from typing import Any

import jax


class Stopwatch:
  """Stands before functions, and adds up how long each takes.

  A call counts until its result is there: what would overlap does not, so that
  the sum of the parts is more than the whole takes by itself. A call within
  another counts with the outer one.

  Attributes:
    seconds: Taken by each name.
  """

  def __init__(self):
    self.seconds: dict[str, float] = {}
    self._patches: list[tuple[Any, str, Any, bool]] = []
    self._busy = False

  def watch(
    self,
    owner: Any,
    attribute: str,
    name: str | Callable[..., str],
    wait: Callable[[], object] = lambda: None,
  ) -> None:
    """Counts an attribute's calls, until `stop`.

    Args:
      owner: Module or object.
      attribute: A function's name there.
      name: What to count its calls as, or a function of their arguments that
        tells.
      wait: Waits until what a call begins is done, beyond its result.
    """
    function = getattr(owner, attribute)
    own = attribute in vars(owner)

    def watched(*args: Any, **kwargs: Any) -> Any:
      if self._busy:
        return function(*args, **kwargs)
      self._busy = True
      # What was begun before is not this call's.
      jax.block_until_ready((args, kwargs))
      start = time.perf_counter()
      try:
        result = jax.block_until_ready(function(*args, **kwargs))
        wait()
      finally:
        self._busy = False
      key = name if isinstance(name, str) else name(*args, **kwargs)
      taken = time.perf_counter() - start
      self.seconds[key] = self.seconds.get(key, 0.0) + taken
      return result

    setattr(owner, attribute, watched)
    self._patches.append((owner, attribute, function, own))

  def stop(self) -> None:
    """Puts everything back."""
    for owner, attribute, function, own in reversed(self._patches):
      if own:
        setattr(owner, attribute, function)
      else:
        delattr(owner, attribute)
    self._patches = []
