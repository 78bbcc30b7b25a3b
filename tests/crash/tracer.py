"""Runs a program, watches the system calls that leave something behind, and kills it at one of them.

    python -m tests.crash.tracer ORDERS LOG command…

In: ORDERS, a file of JSON: {"folder": whose files count, "ports": {"2525": "SMTP"}, "kill": null or {"step", "nth",
"after"}}; the command. Out: LOG, a line of JSON for each step: {"pid"} first, then {"step", "nth", "thread", "call"},
and {"killed": step} or {"ended": code} last. The command is stopped before each such call, so that "before" means that
the call was never made, and "after" that it was made and nothing else of that thread.

Standards: ptrace(2), seccomp(2): a filter stops the command at the calls of `CALLS` only, so everything else runs at
its usual speed. The command dies with its tracer (PTRACE_O_EXITKILL). Linux on x86-64 or ARM64 only.
Never: a change to what the command does, except for its end.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.crash.steps import Call, Names

# Numbers of the calls that write, send, or change a folder (asm/unistd_64.h, asm-generic/unistd.h).
CALLS: dict[str, dict[str, int]] = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "sendto": 44, "sendmsg": 46, "fsync": 74, "fdatasync": 75, "ftruncate": 77,
        "rename": 82, "link": 86, "unlink": 87, "renameat": 264, "linkat": 265, "unlinkat": 263, "renameat2": 316,
    },
    "aarch64": {
        "unlinkat": 35, "linkat": 37, "renameat": 38, "ftruncate": 46, "write": 64, "pwrite64": 68, "fsync": 82,
        "fdatasync": 83, "sendto": 206, "sendmsg": 211, "renameat2": 276,
    },
}  # fmt: skip

# linux/ptrace.h
TRACEME, CONT, SYSCALL, SETOPTIONS, GETEVENTMSG, GET_SYSCALL_INFO = 0, 7, 24, 0x4200, 0x4201, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXEC, SECCOMP, EXITKILL = 1, 2, 4, 8, 0x10, 0x80, 0x100000
EVENT_SECCOMP = 7
NEW_TRACEE = (1, 2, 3)
WALL = 0x40000000  # linux/wait.h: threads too
# linux/prctl.h, linux/seccomp.h, linux/bpf_common.h
NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2
RET_TRACE, RET_ALLOW = 0x7FF00000, 0x7FFF0000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
# Enough of what is sent to tell what it is.
HEAD, TAIL = 200, 8

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class SyscallInfo(ctypes.Structure):
    """struct ptrace_syscall_info (ptrace(2)), as far as entry and seccomp stops fill it."""

    _fields_ = [
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64), ("args", ctypes.c_uint64 * 6), ("more", ctypes.c_uint64),
    ]  # fmt: skip


class Instruction(ctypes.Structure):
    """struct sock_filter (linux/filter.h)."""

    _fields_ = [
        ("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32),
    ]  # fmt: skip


class Program(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(Instruction))]


def ptrace(request: int, pid: int, data: int = 0, address: int = 0) -> None:
    """One ptrace call; OSError where the kernel says no (ProcessLookupError: the thread is dead already)."""
    if _libc.ptrace(request, pid, address, data) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def become_traced(numbers: list[int], command: list[str]) -> None:
    """In the child: be traced, stop at `numbers` from now on, and turn into the command."""
    ptrace(TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    count = len(numbers)
    lines = [Instruction(LOAD, 0, 0, 0)]  # offset 0 of struct seccomp_data: the number of the call
    lines += [Instruction(JUMP_IF_EQUAL, count - at, 0, number) for at, number in enumerate(numbers)]
    lines += [Instruction(RETURN, 0, 0, RET_ALLOW), Instruction(RETURN, 0, 0, RET_TRACE)]
    program = Program(len(lines), (Instruction * len(lines))(*lines))
    if _libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) or _libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(program)):
        os._exit(99)
    os.execv(command[0], command)


class Tracer:
    """One command, from its start to its end."""

    def __init__(self, orders: dict[str, Any], log: Path) -> None:
        self._folder = os.path.realpath(orders["folder"])
        self._ports = {int(port): name for port, name in orders["ports"].items()}
        self._kill = orders["kill"]
        self._log = log.open("a", encoding="utf-8", buffering=1)
        self._by_number = {number: name for name, number in CALLS[platform.machine()].items()}
        self._count: Counter[str] = Counter()
        self._sockets: dict[str, str] = {}
        self._pid = 0
        self._names = Names()
        self._doomed: dict[int, str] = {}

    def run(self, command: list[str]) -> None:
        """Start it and follow it."""
        self._pid = os.fork()
        if self._pid == 0:
            become_traced(list(self._by_number), command)
        os.waitpid(self._pid, WALL)
        ptrace(SETOPTIONS, self._pid, SYSGOOD | FORK | VFORK | CLONE | EXEC | SECCOMP | EXITKILL)
        self._say({"pid": self._pid})
        self._go_on(self._pid)
        for thread, status in self._stops():
            self._at_stop(thread, status)

    def _stops(self) -> Iterator[tuple[int, int]]:
        while True:
            try:
                thread, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                return
            if not os.WIFSTOPPED(status):
                if thread == self._pid:
                    self._say({"ended": os.waitstatus_to_exitcode(status)})
                continue
            yield thread, status

    def _at_stop(self, thread: int, status: int) -> None:
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == EVENT_SECCOMP:
            self._at_call(thread)
        elif number == signal.SIGTRAP | 0x80:
            self._die(self._doomed[thread])  # the call was made
        elif event in NEW_TRACEE:
            made = ctypes.c_ulong()
            _libc.ptrace(GETEVENTMSG, thread, None, ctypes.cast(ctypes.byref(made), ctypes.c_void_p))
            self._names.thread_started(made.value)
            self._go_on(thread)
        elif event or number in (signal.SIGSTOP, signal.SIGTRAP):
            self._go_on(thread)
        else:
            self._go_on(thread, number)

    def _go_on(self, thread: int, deliver: int = 0) -> None:
        try:
            ptrace(CONT, thread, deliver)
        except ProcessLookupError:
            return  # it was killed meanwhile

    def _at_call(self, thread: int) -> None:
        call = self._look(thread)
        step = self._names.name(call, is_main=thread == self._pid) if call is not None else ""
        if not step or call is None:
            self._go_on(thread)
            return
        self._count[step] += 1
        self._say({"step": step, "nth": self._count[step], "thread": thread, "call": call.name, "on": call.target})
        if self._kill is None or (step, self._count[step]) != (self._kill["step"], self._kill["nth"]):
            self._go_on(thread)
        elif self._kill["after"]:
            self._doomed[thread] = step
            ptrace(SYSCALL, thread)
        else:
            self._die(step)

    def _die(self, step: str) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._say({"killed": step})

    def _look(self, thread: int) -> Call | None:
        """What the call is about; None where it leaves nothing behind (a log, a pipe)."""
        info = SyscallInfo()
        try:
            ptrace(GET_SYSCALL_INFO, thread, ctypes.addressof(info), ctypes.sizeof(info))
            name = self._by_number[info.nr]
            if name.startswith(("link", "unlink", "rename")):
                return Call(thread, name, self._path(thread, name, info.args), b"")
            target = self._target(thread, info.args[0])
            sends = name == "sendto" or (name == "write" and target in self._ports.values())
            content = self._words(thread, info.args[1], info.args[2]) if target and sends else b""
        except (ProcessLookupError, FileNotFoundError):
            return None
        return Call(thread, name, target, content, info.args[2]) if target else None

    def _path(self, thread: int, name: str, args: Any) -> str:
        """The last path among the arguments: what comes to be, or goes."""
        at = {"link": 1, "rename": 1, "unlink": 0, "unlinkat": 1}.get(name, 3)
        return Path(self._memory(thread, args[at], 1024).split(b"\0")[0].decode("utf-8", "replace")).name

    def _target(self, thread: int, descriptor: int) -> str:
        """The name of a file in the desk's folder or of a server; "" for everything else."""
        where = str(Path(f"/proc/{thread}/fd/{descriptor}").readlink())
        if where.startswith("socket:"):
            if where not in self._sockets:
                self._sockets[where] = self._server(where[8:-1])
            return self._sockets[where]
        return where[len(self._folder) + 1 :] if where.startswith(self._folder + "/") else ""

    def _server(self, inode: str) -> str:
        """Whom a socket is connected to (proc(5): the 10th field is the inode, the 3rd the other end)."""
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] == inode:
                return self._ports.get(int(fields[2].rpartition(":")[2], 16), "")
        return ""

    def _words(self, thread: int, address: int, length: int) -> bytes:
        """The beginning and the end of what is sent."""
        head = self._memory(thread, address, min(length, HEAD))
        return head if length <= HEAD else head + self._memory(thread, address + length - TAIL, TAIL)

    def _memory(self, thread: int, address: int, length: int) -> bytes:
        """Some bytes of the command; fewer where its memory ends."""
        with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(length)

    def _say(self, line: dict[str, Any]) -> None:
        self._log.write(json.dumps(line) + "\n")


def can_trace() -> bool:
    """Whether this machine lets a process be traced and filtered by its parent."""
    child = os.fork()
    if child == 0:
        try:
            become_traced([], ["/bin/true"])
        finally:
            os._exit(99)
    _, status = os.waitpid(child, WALL)
    try:
        while os.WIFSTOPPED(status):
            ptrace(CONT, child)
            _, status = os.waitpid(child, WALL)
    except OSError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, WALL)
        return False
    return os.waitstatus_to_exitcode(status) == 0


def main() -> None:
    orders, log, *command = sys.argv[1:]
    Tracer(json.loads(Path(orders).read_text(encoding="utf-8")), Path(log)).run(command)


if __name__ == "__main__":
    main()
