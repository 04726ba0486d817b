"""Damages bytes and JSON texts at random.

A JSON text is parsed into `Pairs` (an object: its fields in order, which may
repeat), lists and values, changed, and written again; `Raw` is written
unchanged, so that text that is not JSON can occur anywhere.
"""

import copy
import json
import random
from typing import Any

_DEPTHS = (3, 60, 400, 990, 3000, 100_000)


class Pairs(list):
  """A JSON object as a list of (key, value)."""


class Raw(str):
  """A piece of text that is written unchanged."""


_VALUES: tuple[Any, ...] = (
  None,
  True,
  False,
  0,
  1,
  -1,
  2,
  3.5,
  -0.0,
  1e-320,
  1e308,
  2**31,
  2**63,
  2**64,
  -(2**63) - 1,
  "",
  " ",
  "\0",
  "\x1b[2J",
  "a\nb",
  "é",
  "\u202e\u2028",
  "😀",
  Raw('"\\ud800"'),
  Raw('"\\u0000"'),
  Raw("NaN"),
  Raw("Infinity"),
  Raw("-Infinity"),
  Raw("1e999"),
  Raw("-1e999"),
  Raw("1" + 400 * "0"),
  Raw(5000 * "9"),
  Raw("01"),
  Raw("'x'"),
  Raw("0x10"),
  Raw("undefined"),
  Raw(""),
  Raw("{"),
  Raw("]"),
  Raw('"\t"'),
  Raw("/* no */ 1"),
  10_000 * "x",
  "__array__",
  "../../etc/passwd",
  "%s%n{0}",
  [],
  Pairs(),
  [[]],
  [None],
  Pairs([("", None)]),
  Pairs([("__array__", "AAAA"), ("dtype", "|O"), ("shape", [1])]),
  Pairs([("__class__", "os.system"), ("py/object", "os.system")]),
)
_PIECES = (
  b"",
  b"\0",
  b"\xff",
  b"\xed\xa0\x80",
  b"\xef\xbb\xbf",
  b"\xff\xfe",
  b"\n",
  b"\\",
  b'"',
  b",",
  b"{}[]",
  b"9" * 30,
  b"PK\x03\x04",
)


def parse(text: str) -> Any:
  """Parses a JSON text into `Pairs`, lists and values."""
  return json.loads(text, object_pairs_hook=Pairs)


def dump(value: Any) -> str:
  """Writes the result of `parse`, changed or not."""
  if isinstance(value, Pairs):
    fields = (
      f"{key if isinstance(key, Raw) else json.dumps(key)}: {dump(item)}"
      for key, item in value
    )
    return f"{{{', '.join(fields)}}}"
  if isinstance(value, list):
    return f"[{', '.join(map(dump, value))}]"
  return str(value) if isinstance(value, Raw) else json.dumps(value)


def _holders(value: Any) -> list[tuple[list, int]]:
  """Returns the list and index of every value inside a value."""
  found = []
  waiting = [value]
  while waiting:
    holder = waiting.pop()
    for i, item in enumerate(holder):
      found.append((holder, i))
      inner = item[1] if isinstance(holder, Pairs) else item
      if isinstance(inner, list):
        waiting.append(inner)
  return found


def _nested(rng: random.Random) -> Raw:
  depth = rng.choice(_DEPTHS)
  opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
  inner = rng.choice(("1", "", '"x"'))
  return Raw(depth * opening + inner + rng.choice((depth, depth, 0)) * closing)


def _change(value: Any, rng: random.Random) -> Any:
  """Returns another value in place of a value."""
  way = rng.randrange(8)
  if way == 0 and isinstance(value, bool | int | float):
    return rng.choice((-value, value + 1, value - 1, value * 1000, value / 3))
  if way == 1 and isinstance(value, str):
    return text(value, rng)
  if way == 2:
    return [value]
  if way == 3:
    return Pairs([(rng.choice(("a", "type", "seed", "")), value)])
  if way == 4:
    return str(value)
  if way == 5:
    return _nested(rng)
  # A copy, because it may be changed later.
  return copy.deepcopy(rng.choice(_VALUES))


def tree(root: Any, rng: random.Random) -> Any:
  """Changes a parsed text in place, and returns it."""
  for _ in range(1 + int(rng.expovariate(1.0))):
    holders = _holders(root) if isinstance(root, list) else []
    if not holders or rng.random() < 0.02:
      root = _change(root, rng)
      continue
    holder, i = rng.choice(holders)
    if i >= len(holder):
      continue
    way = rng.randrange(8)
    if way == 0:
      del holder[i]
    elif way == 1:
      holder.insert(rng.randrange(len(holder) + 1), holder[i])
    elif way == 2:
      other, j = rng.choice(holders)
      if j < len(other) and isinstance(other, Pairs) == isinstance(
        holder, Pairs
      ):
        # By value: otherwise two lists could end up inside each other.
        holder[i] = (
          (holder[i][0], Raw(dump(other[j][1])))
          if isinstance(holder, Pairs)
          else Raw(dump(other[j]))
        )
    elif isinstance(holder, Pairs):
      key, value = holder[i]
      if way == 3:
        keys = [name for name, _ in holder]
        holder[i] = rng.choice([*keys, "x", "", text(str(key), rng)]), value
      else:
        holder[i] = key, _change(value, rng)
    else:
      holder[i] = _change(holder[i], rng)
  return root


def text(value: str, rng: random.Random) -> str:
  """Changes some letters of a text."""
  letters = list(value)
  for _ in range(1 + int(rng.expovariate(1.0))):
    i = rng.randrange(len(letters) + 1)
    way = rng.randrange(4)
    if way == 0:
      letters.insert(i, rng.choice(' (),->"\\\0\n\u00e9\U0001f600notplayer1'))
    elif way == 1:
      del letters[i : i + 1 + int(rng.expovariate(0.3))]
    elif way == 2 and letters:
      letters[min(i, len(letters) - 1)] = chr(rng.randrange(32, 0xD7FF))
    else:
      j = rng.randrange(len(letters) + 1)
      letters[i:i] = letters[min(i, j) : max(i, j)]
  return "".join(letters)


def raw(data: bytes, rng: random.Random) -> bytes:
  """Changes bytes: flips, cuts, copies, foreign pieces, encodings."""
  if rng.random() < 0.02:
    encoding = rng.choice(("utf-16", "utf-32", "utf-8-sig", "cp037"))
    return data.decode("latin-1").encode(encoding, "replace")
  changed = bytearray(data)
  for _ in range(1 + int(rng.expovariate(0.7))):
    i = rng.randrange(len(changed) + 1)
    size = 1 + int(rng.expovariate(0.1))
    way = rng.randrange(7)
    if way == 0 and i < len(changed):
      changed[i] ^= 1 << rng.randrange(8)
    elif way == 1 and i < len(changed):
      changed[i] = rng.randrange(256)
    elif way == 2:
      del changed[i : i + size]
    elif way == 3:
      changed[i:i] = rng.choice(_PIECES)
    elif way == 4:
      j = rng.randrange(len(changed) + 1)
      changed[i:i] = changed[j : j + size]
    elif way == 5:
      changed[i : i + size] = rng.randbytes(size)
    elif rng.random() < 0.3:
      del changed[i:]
  return bytes(changed)


def json_text(source: str, rng: random.Random) -> bytes:
  """Changes a JSON text, by its structure or as bytes."""
  if rng.random() < 0.25:
    return raw(source.encode(), rng)
  changed = dump(tree(parse(source), rng)).encode("utf-8", "surrogatepass")
  return raw(changed, rng) if rng.random() < 0.1 else changed
