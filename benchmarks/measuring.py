"""What the machine says: CPU time and memory of processes, and how busy everybody else is."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Reading:
    """CPU seconds spent so far."""

    service: float
    postgres: float
    machine: float
    at: float


@dataclass(frozen=True)
class Meter:
    """Reads the service's CPU time, and PostgreSQL's: the postmaster, its children, and those that ended."""

    service: int
    postmaster: int

    def read(self) -> Reading:
        """Now."""
        return Reading(_spent(self.service), _family(self.postmaster), _machine_busy(), time.monotonic())

    def memory(self) -> tuple[int, int]:
        """Resident MB of the service: now, and at most until now."""
        lines = Path(f"/proc/{self.service}/status").read_text().splitlines()
        kilobytes = {
            name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines) if "kB" in rest
        }
        return kilobytes["VmRSS"] // 1024, kilobytes["VmHWM"] // 1024


def processor() -> str:
    """Its name, and how many there are."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} x {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} cores"


def children_seconds() -> float:
    """CPU seconds of what this process ran and has waited for, such as the load generators."""
    times = os.times()
    return times.children_user + times.children_system


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _spent(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) * _TICK


def _family(postmaster: int) -> float:
    """Read again while backends end: each is to be counted once, among the living or among the dead."""
    while True:
        ended = _ended_children(postmaster)
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        try:
            total = _spent(postmaster) + ended + sum(_spent(int(child)) for child in children)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if ended == _ended_children(postmaster):
            return total


def _ended_children(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[13]) + int(fields[14])) * _TICK


def _machine_busy() -> float:
    numbers = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return (sum(numbers) - idle) * _TICK
