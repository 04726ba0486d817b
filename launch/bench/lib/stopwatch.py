"""Times the calls of functions and methods from outside, by name."""

import time
from collections.abc import Callable
from typing import Any

import jax


class Stopwatch:
  """A wrapper of functions that adds up the time of their calls.

  A call counts until its result is ready, so calls do not overlap, and the sum
  of the parts exceeds the undisturbed whole. A nested call counts with the
  outer one.

  Attributes:
    seconds: Time of the calls, by name.
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
    """Times an attribute's calls, until `stop`.

    Args:
      owner: Module or object.
      attribute: Name of a function or method there.
      name: Name to count the calls under, or a function that maps a call's
        arguments to it.
      wait: Waits for work that a call starts, beyond its result.
    """
    function = getattr(owner, attribute)
    own = attribute in vars(owner)

    def watched(*args: Any, **kwargs: Any) -> Any:
      if self._busy:
        return function(*args, **kwargs)
      self._busy = True
      # Work started earlier is not this call's.
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
    """Restores all attributes."""
    for owner, attribute, function, own in reversed(self._patches):
      if own:
        setattr(owner, attribute, function)
      else:
        delattr(owner, attribute)
    self._patches = []
