"""Draws memory.png and prints the table of README.md.

python results/memory/draw.py
"""

import json
import pathlib

import matplotlib.figure

from adaland.agent.config import MEMORIES
from adaland.launch.bench.memory import CONTEXTS
from adaland.launch.evaluation.comparison import figure

_HERE = pathlib.Path(__file__).resolve().parent


def draw(found: dict[str, float]) -> None:
  """Writes the figure."""
  drawing = matplotlib.figure.Figure(
    figsize=(9.0, 3.8), dpi=140, layout="constrained"
  )
  # As in the figures of the study of memories.
  names = ["memoryless" if name == "none" else name for name in MEMORIES]
  colour_of = figure.colours(names)
  panels = drawing.subplots(1, 2)
  for panel, (key, unit, label) in zip(
    panels,
    (
      ("state_bytes", 1024, "state of one environment, KiB"),
      ("step_cpu_us", 1, "processor time of one step, µs"),
    ),
    strict=True,
  ):
    for i, (name, label_of) in enumerate(zip(MEMORIES, names, strict=True)):
      values = [found[f"memory_{name}_{c}_{key}"] / unit for c in CONTEXTS]
      # Wide to narrow: three of the lines nearly coincide.
      panel.loglog(
        CONTEXTS,
        values,
        marker="o",
        markersize=9 - i,
        linewidth=3.4 - 0.35 * i,
        color=colour_of[label_of],
        label=name,
      )
    panel.set_xticks(CONTEXTS, [str(context) for context in CONTEXTS])
    panel.minorticks_off()
    panel.set_xlabel("context, steps")
    panel.set_ylabel(label)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.25)
  panels[1].legend(fontsize=7.5, frameon=False)
  drawing.savefig(_HERE / "memory.png")


def table(found: dict[str, float]) -> str:
  """Returns the numbers as Markdown."""
  head = [f"{context} steps" for context in CONTEXTS]
  lines = [
    f"| memory | state, KiB: {' | '.join(head)} | step, µs: "
    f"{' | '.join(head)} | age 10,000 / 0 |",
    "|---" * 8 + "|",
  ]
  for name in MEMORIES:
    cells = [
      f"{found[f'memory_{name}_{c}_state_bytes'] / 1024:.1f}" for c in CONTEXTS
    ]
    cells += [
      f"{found[f'memory_{name}_{c}_step_cpu_us']:.1f}" for c in CONTEXTS
    ]
    cells.append(f"{found[f'memory_{name}_age_ratio']:.2f}")
    lines.append(f"| {name} | {' | '.join(cells)} |")
  return "\n".join(lines)


def main() -> None:
  """Draws and prints."""
  found = json.loads((_HERE / "bench.json").read_text())
  draw(found)
  print(table(found))


if __name__ == "__main__":
  main()
