"""Damages files and reads them: `python -m tests.fuzz --cases=100000`.

For each format, prints the number of files that were read and the number that
were refused in the documented way; exits with status 1 if anything else
happened.
`--formats=task --first=N --cases=1` repeats case N.
"""

import argparse
import resource
import sys
import time

from tests.fuzz import formats, runner

# Memory that reading a damaged file may add to that of the process.
_MEMORY = 2 * 2**30


def main() -> int:
  """Runs the command."""
  parser = argparse.ArgumentParser(
    prog="python -m tests.fuzz",
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    "--cases", type=int, default=1000, help="number of cases of each format"
  )
  parser.add_argument("--first", type=int, default=0)
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument(
    "--formats",
    default=",".join(formats.FORMATS),
    help="some of %(default)s",
  )
  args = parser.parse_args()
  faults = 0
  for name in args.formats.split(","):
    if name not in formats.FORMATS:
      parser.error(f"{name!r} is not one of {', '.join(formats.FORMATS)}")
    runner.run(name, args.first, 1, args.seed)  # Loads modules.
    _bound_memory()
    start = time.monotonic()
    outcome = runner.run(name, args.first, args.cases, args.seed)
    faults += outcome.num_faults
    print(
      f"{name:<11}{args.cases:>8} cases {outcome.accepted:>8} read "
      f"{outcome.refused:>8} refused {outcome.num_faults:>6} faults "
      f"{time.monotonic() - start:>7.0f} s",
      flush=True,
    )
    for kind, what in outcome.faults.items():
      print(f"  {kind}: {what!r}", flush=True)
  return 1 if faults else 0


def _bound_memory() -> None:
  with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
  hard = resource.getrlimit(resource.RLIMIT_AS)[1]
  resource.setrlimit(resource.RLIMIT_AS, (now + _MEMORY, hard))


if __name__ == "__main__":
  sys.exit(main())
