"""A constraint solver in the manner of wave function collapse.

Each cell of a grid has a set of options, a bit mask. The solver picks the cell
with the fewest remaining options, collapses it to one, and removes from its
neighbours the options that no longer fit, and so on, until every cell has one
option. A cell without options is a contradiction; callers try again.
"""

from collections.abc import Mapping, Sequence

import numpy as np

Cell = tuple[int, int]

# Factor in an option's weight for each neighbour that has collapsed to it, so
# that equal cells cluster.
_TOGETHER = 2.0


class Collapse:
  """A grid that is collapsed cell by cell.

  Attributes:
    options: Bit mask of the remaining options of each cell.
  """

  def __init__(self, shape: Cell, fits: Sequence[int]):
    """Initializes a grid in which every cell has all options.

    Args:
      shape: Cells along x and y.
      fits: For each option, the bit mask of the options that may be next to it;
        symmetric.
    """
    count = len(fits)
    # The options that may be next to a cell, by the cell's set of options.
    self._beside = [0] * (1 << count)
    for mask in range(1 << count):
      for option in range(count):
        if mask >> option & 1:
          self._beside[mask] |= fits[option]
    self.options = dict.fromkeys(np.ndindex(shape), (1 << count) - 1)
    self._count = count

  def restrict(self, cell: Cell, mask: int) -> bool:
    """Removes options; returns False if this is a contradiction."""
    changed = [(cell, mask)]
    while changed:
      here, allowed = changed.pop()
      left = self.options[here] & allowed
      if left == self.options[here]:
        continue
      if not left:
        return False
      self.options[here] = left
      changed += [(beside, self._beside[left]) for beside in self._around(here)]
    return True

  def run(self, rng: np.random.Generator) -> bool:
    """Collapses all cells; returns False for a contradiction."""
    cells = list(self.options)
    left = [cells[i] for i in rng.permutation(len(cells)).tolist()]
    while True:
      left = [cell for cell in left if self.options[cell].bit_count() > 1]
      if not left:
        return True
      cell = min(left, key=lambda x: self.options[x].bit_count())
      if not self.restrict(cell, 1 << self._pick(cell, rng)):
        return False

  def _pick(self, cell: Cell, rng: np.random.Generator) -> int:
    """Draws one of a cell's options."""
    mask = self.options[cell]
    choices = [i for i in range(self._count) if mask >> i & 1]
    beside = [self.options[other] for other in self._around(cell)]
    weights = [_TOGETHER ** beside.count(1 << option) for option in choices]
    drawn = rng.random() * sum(weights)
    for option, weight in zip(choices, weights, strict=True):
      drawn -= weight
      if drawn < 0:
        return option
    return choices[-1]

  def _around(self, cell: Cell) -> list[Cell]:
    x, y = cell
    beside = ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1))
    return [other for other in beside if other in self.options]


def collapse(
  shape: Cell,
  fits: Sequence[int],
  fixed: Mapping[Cell, int],
  rng: np.random.Generator,
) -> np.ndarray | None:
  """Draws one option for each cell so that all neighbours fit.

  Args:
    shape: Cells along x and y.
    fits: For each option, the bit mask of the options that may be next to it.
    fixed: Given options, by cell.
    rng: Source of randomness.

  Returns:
    The options, int [X, Y]; None for a contradiction.
  """
  grid = Collapse(shape, fits)
  for cell, option in fixed.items():
    if not grid.restrict(cell, 1 << option):
      return None
  if not grid.run(rng):
    return None
  found = [mask.bit_length() - 1 for mask in grid.options.values()]
  return np.array(found, np.int64).reshape(shape)
