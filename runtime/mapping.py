"""The only module that maps files into memory: one contiguous range per buffer, with an inaccessible page on each side.

A range of addresses without access is reserved first and the pieces of the files are mapped inside it, so that the
neighbouring addresses can never belong to another buffer: a write just past either end is a fault at once. The
descriptor is closed as soon as the piece is mapped. A read-only map comes from a read-only descriptor, so it cannot
be made writable later. (``mmap.mmap`` can neither place a map nor surround it with guards.)
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from catalytic.solver.units import align_up

PAGE = os.sysconf("SC_PAGE_SIZE")

_PROT_NONE, _PROT_READ, _PROT_WRITE = 0, 1, 2
_MAP_SHARED, _MAP_PRIVATE, _MAP_FIXED, _MAP_ANONYMOUS, _MAP_NORESERVE = 0x01, 0x02, 0x10, 0x20, 0x4000
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
_libc.msync.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` bytes of a file from ``offset`` (a multiple of the page size)."""

    path: Path
    offset: int
    length: int


class Mapping:
    """Pieces of files as one range of memory. Every piece but the last must be whole pages.

    ``size`` is the number of bytes asked for; memory is mapped up to the end of the last page, and the bytes between
    (the *margin*) belong to the buffer's region as well. Raises ``OSError`` when the kernel refuses.
    """

    def __init__(self, pieces: Sequence[Piece], *, writable: bool) -> None:
        self.size = sum(piece.length for piece in pieces)
        self._mapped = align_up(self.size, PAGE)
        self._reserved = self._mapped + 2 * PAGE
        self._base = _map(None, self._reserved, _PROT_NONE, _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_NORESERVE, -1, 0)
        self.address = self._base + PAGE
        self._memory: ctypes.Array[ctypes.c_ubyte] | None = None
        try:
            position = self.address
            for piece in pieces:
                _map_piece(position, piece, writable)
                position += piece.length
        except BaseException:
            self.close()
            raise
        self._writable = writable

    @property
    def guarded(self) -> range:
        """Addresses of the range, both guard pages included."""
        return range(self.address - PAGE, self.address - PAGE + self._reserved)

    @property
    def margin(self) -> memoryview:
        """The bytes between the end of the buffer and the end of its last page."""
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
        if self._mapped and _libc.msync(self.address, self._mapped, _MS_SYNC) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def close(self) -> None:
        """Take the memory away. Addresses that somebody still refers to stay reserved, so late use is a fault."""
        if self._base == 0:
            return
        base, self._base = self._base, 0
        if self._memory is not None:
            # Every view and every array made from one keeps the memory object alive.
            holders, self._memory = weakref.ref(self._memory), None
            if holders() is not None:
                flags = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED
                _map(base, self._reserved, _PROT_NONE, flags, -1, 0)
                return
        _libc.munmap(base, self._reserved)

    def __enter__(self) -> Mapping:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _map(address: int | None, length: int, protection: int, flags: int, descriptor: int, offset: int) -> int:
    result = _libc.mmap(address, length, protection, flags, descriptor, offset)
    if result == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


def _map_piece(address: int, piece: Piece, writable: bool) -> None:
    if piece.length == 0:
        return
    descriptor = os.open(piece.path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size < piece.offset + piece.length:
            raise OSError(0, f"{piece.path} is shorter than {piece.offset + piece.length} bytes")
        protection = _PROT_READ | _PROT_WRITE if writable else _PROT_READ
        _map(address, piece.length, protection, _MAP_SHARED | _MAP_FIXED, descriptor, piece.offset)
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _view(address: int, size: int) -> memoryview:
    if size == 0:
        return memoryview(bytearray())
    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")
