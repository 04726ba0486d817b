"""What it costs that Ray runs the roles, against the local launcher."""

from collections.abc import Sequence

from launch import bench_run

LAUNCHERS = ("local", "ray")
# Runs of each, in turns, so that a slow moment of the machine meets both.
_RUNS = 2
_LEAST_SECONDS = 20.0


def overhead(
  preset: str, seconds: float, settings: Sequence[str] = ()
) -> dict[str, float]:
  """The same training under both launchers, by turns.

  Both have the same roles: learner, replay, curriculum, actors; no evaluator.
  `ray_ratio` compares environment steps a second; `ray_cpu_ratio` steps for a
  second of processor time, of all processes that the run has started, Ray's
  own included, which other work on the machine disturbs less. One minus either
  is what Ray costs. `_spread` is how far the ratios of single turns lie apart.

  Args:
    preset: Where the run's config starts from.
    seconds: That each of four runs is measured, at least 20; a run takes
      half a minute or more before that.
    settings: What is changed of the preset, as for --set.
  """
  runs: dict[str, list[bench_run.Steady]] = {name: [] for name in LAUNCHERS}
  for _ in range(_RUNS):
    for launcher, found in runs.items():
      found.append(
        bench_run.measure(
          preset, launcher, max(seconds, _LEAST_SECONDS), settings
        )
      )
  return compare(runs["local"], runs["ray"])


def compare(
  local: Sequence[bench_run.Steady], ray: Sequence[bench_run.Steady]
) -> dict[str, float]:
  """Sums up runs of the two launchers, of which each pair was one turn."""
  result: dict[str, float] = {}
  for field in ("steps_per_s", "steps_per_cpu_s", "cores"):
    name = "busy_cores" if field == "cores" else field
    for prefix, runs in (("ray_local", local), ("ray", ray)):
      result[f"{prefix}_{name}"] = sum(
        getattr(run, field) for run in runs
      ) / len(runs)
  for name, of in (("ray", "steps_per_s"), ("ray_cpu", "steps_per_cpu_s")):
    ratios = [
      getattr(b, of) / getattr(a, of) for a, b in zip(local, ray, strict=True)
    ]
    result[f"{name}_ratio"] = result[f"ray_{of}"] / result[f"ray_local_{of}"]
    result[f"{name}_ratio_spread"] = max(ratios) - min(ratios)
  return result
