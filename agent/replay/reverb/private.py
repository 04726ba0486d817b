"""Reverb servers on a Unix socket, which only their own user can reach.

Reverb 0.14 tells gRPC to listen on "[::]:" + port, which is every interface,
and does no authentication. There is no setting for this. But "unix:" has the
same length, and gRPC takes "unix:1" as a socket named 1 in the process's
working directory. So the server's process replaces these five characters in its
own copy of the library's constants; the file and all other processes keep
theirs.
"""

import ctypes
import os
import re
import socket
import tempfile

# The socket's name, which the server appends as a port number.
NUMBER = 1
PREFIX = "unix:"
_LIBRARY = "libpybind.so"
_OPEN = b"[::]:"
# Maximum length of a socket's path on Linux.
_MAX_PATH = 107
_NUM_BITS = 8
NUM_SPELLINGS = 2**_NUM_BITS


def make_folder() -> str:
  """Makes a folder only for the user, with a path short enough for sockets."""
  parent = tempfile.gettempdir()
  prefix = "adaland-replay-"
  name = spelling(address(os.path.join(parent, prefix + 8 * "x")), 0)
  too_long = len(os.fsencode(name.removeprefix(PREFIX))) > _MAX_PATH
  return tempfile.mkdtemp(prefix=prefix, dir="/tmp" if too_long else None)


def address(folder: str) -> str:
  """Returns the address of the server in a folder."""
  return f"{PREFIX}{folder}/{NUMBER}"


def spelling(address: str, k: int) -> str:
  """Returns the k-th spelling of an address, k below NUM_SPELLINGS.

  gRPC treats each spelling as another server.
  """
  folder, name = address.rsplit("/", 1)
  bits = f"{k:0{_NUM_BITS}b}"
  return f"{folder}/{bits.replace('1', '//').replace('0', './')}{name}"


def make_private() -> None:
  """Makes servers of this process listen on Unix sockets in its folder.

  Reverb must be loaded. A failure changes nothing.

  Raises:
    OSError: If this build of Reverb or this system does not allow it.
  """
  found = [
    (start + match.start() + 1, flags)
    for start, end, flags in _mappings()
    # A C++ string constant ends with a zero byte, as does the one before it.
    for match in re.finditer(
      re.escape(b"\0" + _OPEN + b"\0"), ctypes.string_at(start, end - start)
    )
  ]
  if len(found) != 1:
    raise OSError(f"{_LIBRARY} holds {_OPEN.decode()} {len(found)} times")
  start, flags = found[0]
  # PROT_READ, PROT_WRITE and PROT_EXEC are 1, 2 and 4.
  protection = sum(1 << "rwx".index(flag) for flag in flags if flag in "rwx")
  _protect(start, (protection | 2) & ~4)
  ctypes.memmove(start, PREFIX.encode(), len(_OPEN))
  try:
    _protect(start, protection)
  except OSError:
    ctypes.memmove(start, _OPEN, len(_OPEN))
    raise


def _mappings() -> list[tuple[int, int, str]]:
  """Returns start, end and permissions of Reverb's library's mappings."""
  found = []
  with open("/proc/self/maps") as file:
    for line in file:
      addresses, flags, _, _, _, *path = line.rstrip("\n").split(maxsplit=5)
      # Private, as the linker maps it: writes stay in this process.
      if (
        path
        and os.path.basename(path[0]) == _LIBRARY
        and flags[0] == "r"
        and flags[3] == "p"
      ):
        start, end = (int(number, 16) for number in addresses.split("-"))
        found.append((start, end, flags))
  return found


def _protect(address: int, protection: int) -> None:
  """Sets the permissions of the pages that hold the constant."""
  page = os.sysconf("SC_PAGESIZE")
  start = address // page * page
  size = address + len(_OPEN) - start
  libc = ctypes.CDLL(None, use_errno=True)
  if libc.mprotect(
    ctypes.c_void_p(start), ctypes.c_size_t(size), ctypes.c_int(protection)
  ):
    number = ctypes.get_errno()
    raise OSError(number, f"mprotect: {os.strerror(number)}")


def tcp_ports() -> list[int]:
  """Returns the TCP ports that this process listens on."""
  ports = []
  for name in os.listdir("/proc/self/fd"):
    try:
      copy = socket.socket(fileno=os.dup(int(name)))
    except OSError:
      continue  # Not a socket, or already closed.
    with copy:
      listens = copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
      if listens and copy.family in (socket.AF_INET, socket.AF_INET6):
        ports.append(copy.getsockname()[1])
  return ports
