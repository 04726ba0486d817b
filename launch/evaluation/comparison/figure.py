"""The figure of scores by trial: does the agent get better with each trial?"""

import io
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# Styles that mean the same in every figure: colour, line style, width.
_STYLES: dict[str, tuple[str, str, float]] = {
  "agent": ("#1f5fbf", "-", 2.8),
  "unprompted": ("#1f5fbf", "-", 2.8),
  "prompted": ("#7a3fb0", "-", 2.0),
  "swapped memory": ("#6f9fe0", "--", 2.0),
  "memoryless": ("#e08214", "-", 2.0),
  "expert": ("#2a8a3a", "-", 1.6),
  "explorer": ("#4d4d4d", "-", 1.6),
  "forgetful": ("#8c8c8c", "--", 1.6),
  "random": ("#b03030", ":", 1.6),
  "noop": ("#b0b0b0", ":", 1.6),
}
# Figure labels that say more than a policy's name.
_TEXTS = {
  "agent, swapped memory": "agent with another\ntask's memory",
  "agent, prompted": "agent, is shown\nthe first trial",
  "memoryless": "agent without memory",
  "expert": "expert, told all rules",
  "explorer": "scripted explorer,\nremembers",
  "forgetful": "scripted explorer,\nforgets",
  "random": "random actions",
  "noop": "no actions",
}
# Colours of all other policies, none close to one that has a meaning.
_OTHERS = (
  "#17869b",
  "#a6761d",
  "#c2408a",
  "#5b8c00",
  "#7a3fb0",
  "#4fb8dc",
  "#e58fbf",
  "#6b4226",
  "#c9b300",
)
# Minimum distance of two labels, as a share of the axis.
_LABEL_GAP = 0.075
_TOP, _BOTTOM = 1.08, -0.03


class Curve(NamedTuple):
  """A policy's score in each trial, with a band.

  Attributes:
    mean: Mean scores, K numbers.
    low: Lower ends of the band.
    high: Upper ends of the band.
  """

  mean: Sequence[float]
  low: Sequence[float]
  high: Sequence[float]


def by_trial(
  curves: Mapping[str, Curve], title: str = "", note: str = ""
) -> bytes:
  """Draws curves with their labels at the right; returns a PNG.

  Args:
    curves: Curves by label; a label that names a known policy, such as "agent"
      or "agent, swapped memory", has the colour of that policy.
    title: Text above the figure.
    note: Small print below the figure.
  """
  # Its import is slow, and no other command needs it.
  from matplotlib import figure

  drawing = figure.Figure(figsize=(7.2, 4.6), dpi=140, layout="constrained")
  axes = drawing.subplots()
  drawn = {label: curve for label, curve in curves.items() if len(curve.mean)}
  count = max((len(curve.mean) for curve in drawn.values()), default=1)
  highest = max([_TOP, *(max(curve.high) for curve in drawn.values())])
  lowest = min([_BOTTOM, *(min(curve.low) for curve in drawn.values())])
  colour_of = colours([*drawn])
  ends = {}
  for label, curve in drawn.items():
    colour = colour_of[label]
    _, style, width = _style(label) or (colour, "-", 2.0)
    trials = range(1, len(curve.mean) + 1)
    axes.fill_between(
      trials, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0
    )
    axes.plot(
      trials, curve.mean, style, color=colour, linewidth=width, marker="o",
      markersize=4,
    )  # fmt: skip
    ends[label] = (curve.mean[-1], colour)
  _write_labels(axes, ends, count, highest - lowest)
  axes.axhline(1.0, color="0.8", linewidth=0.8, zorder=0)
  axes.set_xlim(0.9, count + 0.1)
  axes.set_ylim(lowest, highest)
  axes.set_xticks(range(1, count + 1, 1 + count // 16))
  axes.set_xlabel("trial: try of the same task, from its start state")
  axes.set_ylabel("score: reward / that of an expert\nwho knows hidden rules")
  axes.grid(axis="y", alpha=0.25)
  axes.spines[["top", "right"]].set_visible(False)
  if title:
    axes.set_title(title, loc="left", fontsize=11)
  if note:
    drawing.supxlabel(note, fontsize=7.5, color="0.35")
  content = io.BytesIO()
  drawing.savefig(content, format="png")
  return content.getvalue()


def colours(labels: Sequence[str]) -> dict[str, str]:
  """Returns each label's colour, the same in all figures of these labels.

  Args:
    labels: Names of policies; those that name no known policy get the other
      colours in turn.
  """
  others = itertools.cycle(_OTHERS)
  styles = {label: _style(label) for label in labels}
  return {
    label: style[0] if style else next(others)
    for label, style in styles.items()
  }


def _style(label: str) -> tuple[str, str, float] | None:
  """Returns the style of the known policy that a label names.

  If it names several, the longest name counts: "memoryless agent" is
  memoryless.
  """
  found = [
    name
    for name in _STYLES
    if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", label)
  ]
  return _STYLES[max(found, key=len)] if found else None


def _write_labels(
  axes: Any, ends: Mapping[str, tuple[float, str]], count: int, length: float
) -> None:
  """Writes labels to the right of the lines' ends, without overlap.

  Args:
    axes: The axes to write on.
    ends: The last score and the colour, by label.
    count: Number of trials, K.
    length: Length of the axis of scores.
  """
  gap = _LABEL_GAP * length
  order = sorted(ends, key=lambda label: ends[label][0])
  heights = spread([ends[label][0] for label in order], gap)
  for label, height in zip(order, heights, strict=True):
    end, colour = ends[label]
    axes.annotate(
      _TEXTS.get(label, label),
      (count, end),
      (count + 0.14, height),
      textcoords="data",
      annotation_clip=False,
      color=colour,
      fontsize=8.5,
      linespacing=0.95,
      va="center",
      arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5},
    )


def spread(heights: Sequence[float], gap: float) -> list[float]:
  """Moves sorted heights apart, as little as pairs of neighbours need.

  Args:
    heights: Heights in ascending order.
    gap: The minimum distance of two heights.

  Returns:
    Heights in the same order, each at least `gap` above the one before.
  """
  # Groups of labels that touch, each centred on its members' mean.
  groups: list[list[float]] = []
  for height in heights:
    groups.append([height])
    while len(groups) > 1 and _overlap(groups[-2], groups[-1], gap):
      last = groups.pop()
      groups[-1] += last
  return [
    sum(group) / len(group) + gap * (i - (len(group) - 1) / 2)
    for group in groups
    for i in range(len(group))
  ]


def _overlap(
  below: Sequence[float], above: Sequence[float], gap: float
) -> bool:
  top = sum(below) / len(below) + gap * (len(below) - 1) / 2
  bottom = sum(above) / len(above) - gap * (len(above) - 1) / 2
  return bottom - top < gap
