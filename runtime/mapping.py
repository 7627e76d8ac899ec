"""The only module that maps files into memory: one contiguous range per buffer, with an inaccessible page on each side.

Two ways lead to such a range:

- A *mapping* of its own: a range of addresses without access is reserved first and the pieces of the files are mapped
  inside it, so the neighbouring addresses can never belong to another buffer. A read-only mapping comes from a
  read-only descriptor, so it cannot be made writable later. (``mmap.mmap`` can neither place a map nor guard it.)
- An *opening* in a worker's window: the whole arena is mapped once without access, and only the bytes of the running
  task's outputs are made accessible, for as long as it runs. The pages on both sides stay closed. The page tables
  outlive the task, which is where the time goes: on ext4 writing into bytes that this worker has written before costs
  0.07 ns per byte through a window and 1.2 to 2 ns through a new mapping, because every page faults again.

Descriptors are closed as soon as the map exists.
"""

from __future__ import annotations

import ctypes
import os
import stat
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from catalytic.solver.units import align_up

PAGE = os.sysconf("SC_PAGE_SIZE")

_PROT_NONE, _PROT_READ, _PROT_WRITE = 0, 1, 2
_MAP_SHARED, _MAP_PRIVATE, _MAP_FIXED, _MAP_ANONYMOUS, _MAP_NORESERVE = 0x01, 0x02, 0x10, 0x20, 0x4000
_CLOSED = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_NORESERVE
_MS_SYNC = 4
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.msync.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` bytes of a file from ``offset`` (a multiple of the page size)."""

    path: Path
    offset: int
    length: int


class Memory:
    """``size`` bytes from ``address``, accessible until ``close``. The rest of the last page is the *margin*."""

    def __init__(self, address: int, size: int, *, writable: bool) -> None:
        self.address, self.size = address, size
        self._mapped = align_up(size, PAGE)
        self._writable = writable
        self._memory: ctypes.Array[ctypes.c_ubyte] | None = None

    @property
    def guarded(self) -> range:
        """Addresses of the range, the inaccessible pages on both sides included."""
        return range(self.address - PAGE, self.address + self._mapped + PAGE)

    @property
    def margin(self) -> memoryview:
        """The bytes between the end of the buffer and the end of its last page; they belong to its region, too."""
        return _view(self.address + self.size, self._mapped - self.size)

    @property
    def view(self) -> memoryview:
        """The buffer's bytes; read-only for a read-only map."""
        if self._memory is None:
            self._memory = (ctypes.c_ubyte * self.size).from_address(self.address)
        view = memoryview(self._memory).cast("B")
        return view if self._writable else view.toreadonly()

    def sync(self) -> None:
        """Make the bytes durable on the device."""
        if self._mapped:
            _require(_libc.msync(self.address, self._mapped, _MS_SYNC))

    def close(self) -> None:
        """Take the access away."""
        raise NotImplementedError

    def _is_held(self) -> bool:
        """Give up the memory object; whether somebody still has a view, or an array made from one."""
        if self._memory is None:
            return False
        holders, self._memory = weakref.ref(self._memory), None
        return holders() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Mapping(Memory):
    """Pieces of files as one range of memory. Every piece but the last must be whole pages.

    Raises ``OSError`` when the kernel refuses.
    """

    def __init__(self, pieces: Sequence[Piece], *, writable: bool) -> None:
        size = sum(piece.length for piece in pieces)
        self._reserved = align_up(size, PAGE) + 2 * PAGE
        self._base = _map(None, self._reserved, _PROT_NONE, _CLOSED, -1, 0)
        super().__init__(self._base + PAGE, size, writable=writable)
        try:
            position = self.address
            for piece in pieces:
                _map_piece(position, piece, _PROT_READ | _PROT_WRITE if writable else _PROT_READ)
                position += piece.length
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Unmap. Addresses that somebody still refers to stay reserved, so late use is a fault."""
        if self._base == 0:
            return
        base, self._base = self._base, 0
        if self._is_held():
            _map(base, self._reserved, _PROT_NONE, _CLOSED | _MAP_FIXED, -1, 0)
        else:
            _libc.munmap(base, self._reserved)


class Window:
    """The partitions of an arena as one range without access, in which openings are made. Mapped at the first one."""

    def __init__(self, partitions: Sequence[Path], partition_size: int) -> None:
        self._position = {path: number * partition_size for number, path in enumerate(partitions)}
        self._partition_size = partition_size
        self._base = 0

    def address_of(self, pieces: Sequence[Piece]) -> int | None:
        """Where in the window ``pieces`` are one range; None when they are not, or lie outside the arena."""
        if not pieces or any(piece.path not in self._position for piece in pieces):
            return None
        offsets = [self._position[piece.path] + piece.offset for piece in pieces]
        joined = all(a + p.length == b for a, p, b in zip(offsets, pieces, offsets[1:], strict=False))
        return self._opened() + offsets[0] if joined else None

    def open(self, address: int, size: int) -> Opening:
        """Give access to ``size`` bytes from ``address``."""
        return Opening(self, address, size)

    def abandon(self) -> None:
        """Close every address of this window for ever; the next opening is made in a new one."""
        _require(_libc.mprotect(self._base, self._length, _PROT_NONE))
        self._base = 0

    @property
    def _length(self) -> int:
        return len(self._position) * self._partition_size

    def _opened(self) -> int:
        if self._base == 0:
            reserved = _map(None, self._length + 2 * PAGE, _PROT_NONE, _CLOSED, -1, 0)
            for path, position in self._position.items():
                _map_piece(reserved + PAGE + position, Piece(path, 0, self._partition_size), _PROT_NONE)
            self._base = reserved + PAGE
        return self._base


class Opening(Memory):
    """Writable bytes of a window."""

    def __init__(self, window: Window, address: int, size: int) -> None:
        super().__init__(address, size, writable=True)
        self._window = window
        self._closed = False
        _require(_libc.mprotect(address, self._mapped, _PROT_READ | _PROT_WRITE))

    def close(self) -> None:
        """Close the bytes. If somebody kept a view, the addresses must never be opened again for another task."""
        if self._closed:
            return
        self._closed = True
        if self._is_held():
            self._window.abandon()
        else:
            _require(_libc.mprotect(self.address, self._mapped, _PROT_NONE))


def _require(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _map(address: int | None, length: int, protection: int, flags: int, descriptor: int, offset: int) -> int:
    result = _libc.mmap(address, length, protection, flags, descriptor, offset)
    if result == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def _map_piece(address: int, piece: Piece, protection: int) -> None:
    """Map ``piece`` at ``address``. Without access it is mapped shared and writable, to be opened later."""
    if piece.length == 0:
        return
    writable = protection != _PROT_READ
    # Without O_NONBLOCK, opening a pipe that has taken the file's place would wait for ever.
    access = os.O_RDWR if writable else os.O_RDONLY
    descriptor = os.open(piece.path, access | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, f"{piece.path} is not a file")
        if found.st_size < piece.offset + piece.length:
            raise OSError(0, f"{piece.path} is shorter than {piece.offset + piece.length} bytes")
        _map(address, piece.length, protection, _MAP_SHARED | _MAP_FIXED, descriptor, piece.offset)
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _view(address: int, size: int) -> memoryview:
    if size == 0:
        return memoryview(bytearray())
    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")
