"""Naming a memory fault: which buffer of which task was touched where it must not be.

Inputs are mapped read-only and every map has guard pages, so a task that writes where it must not is stopped by the
processor. The handler reads the faulting address, finds the map it lies in and sends one sentence to the coordinator
before the worker dies. It runs once: a fault inside it ends the worker in the ordinary way, as a crash.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

from ..assignment import FailureKind
from ..perform import Mapped

_SA_SIGINFO, _SA_RESETHAND, _SA_NODEFER = 4, 0x80000000, 0x40000000
_ADDRESS_OFFSET = 16  # of si_addr in siginfo_t, on 64-bit Linux

_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _SigAction(ctypes.Structure):
    _fields_ = (
        ("handler", _HANDLER),
        ("mask", ctypes.c_ulong * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class FaultReporter:
    """Remembers the maps of the running task and reports the first fault as (kind, message, next step)."""

    def __init__(self, report: Callable[[FailureKind, str, str], None]) -> None:
        self._report = report
        self._mapped = Mapped()
        self._retired: list[range] = []
        self._handler = _HANDLER(self._on_fault)  # must outlive the process's last fault
        libc = ctypes.CDLL(None, use_errno=True)
        action = _SigAction(self._handler, (ctypes.c_ulong * 16)(), 0, None)
        action.flags = ctypes.c_int(_SA_SIGINFO | _SA_RESETHAND | _SA_NODEFER).value
        for number in (signal.SIGSEGV, signal.SIGBUS):
            if libc.sigaction(int(number), ctypes.byref(action), None) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def watch(self, mapped: Mapped) -> None:
        """Faults from now on belong to a task with these maps."""
        before = (*self._mapped.inputs.values(), *self._mapped.outputs.values())
        self._retired = [*self._retired[-256:], *(m.guarded for m in before)]
        self._mapped = mapped

    def _on_fault(self, number: int, information: int, context: int) -> None:
        address = ctypes.c_uint64.from_address(information + _ADDRESS_OFFSET).value
        self._report(*self._name(number, address))
        os._exit(128 + number)

    def _name(self, number: int, address: int) -> tuple[FailureKind, str, str]:
        for name, m in self._mapped.inputs.items():
            if address in range(m.address, m.address + m.size):
                if number == signal.SIGBUS:
                    return FailureKind.SOURCE, f"the file of its input {name!r} shrank while it was read", "Restore it."
                return (
                    FailureKind.WROTE_INTO_INPUT,
                    f"wrote into its input {name!r}, at byte {address - m.address}",
                    "Inputs are read-only: write to an output, or declare in_place.",
                )
        maps = [(f"input {n!r}", m) for n, m in self._mapped.inputs.items()]
        maps += [(f"output {n!r}", m) for n, m in self._mapped.outputs.items()]
        maps += [("scratch", self._mapped.scratch)] if self._mapped.scratch is not None else []
        for name, m in maps:
            if address in m.guarded:
                side = "past the end" if address >= m.address else "before the beginning"
                return (
                    FailureKind.OUT_OF_BOUNDS,
                    f"went {side} of its {name} ({m.size} bytes)",
                    "Correct the task's bounds, or declare a larger size and plan again.",
                )
        if any(address in addresses for addresses in self._retired):
            return (
                FailureKind.LATE_USE,
                "used a buffer of an earlier task after that task had ended",
                "Do not keep views of buffers beyond the call: copy what must outlive it.",
            )
        return FailureKind.CRASH, f"crashed with {signal.Signals(number).name} at {address:#x}", "Correct the task."
