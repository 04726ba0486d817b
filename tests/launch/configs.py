"""A small config with a field of every kind."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Inner:
  """A component's config."""

  size: int = 3
  rate: float = 0.5
  kind: Literal["a", "bcd"] = "a"
  limit: int | None = None

  def __post_init__(self):
    if self.size < 1:
      raise ValueError(f"inner.size is {self.size}; it must be at least 1.")


@dataclasses.dataclass(frozen=True)
class Outer:
  """The whole config."""

  inner: Inner = Inner()
  name: str = "x"
  flag: bool = False
  pair: tuple[int, int] = (1, 2)
  words: tuple[str, ...] = ("p", "q")
