"""Takes the server's process while it loads, says when nothing has happened for so long that it waits for itself.

A model's process and the server now and then miss each other's first message on a busy machine; both then sleep for ever, and a new start
goes well. What uses the processor, or has a connection to another machine (weights that are fetched), is at work.
"""

from __future__ import annotations

import time
from ipaddress import ip_address

import psutil

PATIENCE = 120.0  # seconds
_SHARE = 0.01  # of one core: what sleeping processes use to look whether there is news


class Stillness:
    """Asked again and again; looks at the processes once a second at most."""

    def __init__(self, pid: int) -> None:
        self.pid, self._looked = pid, 0.0
        self._since, self._used = time.monotonic(), 0.0

    def too_long(self) -> bool:
        """Whether the server and what it has started have done nothing for PATIENCE seconds."""
        now = time.monotonic()
        if now - self._looked < min(1.0, PATIENCE / 10):
            return False
        self._looked = now
        used, connected = self._state()
        if connected or used - self._used > _SHARE * max(now - self._since, PATIENCE / 10):
            self._since, self._used = now, used
        return now - self._since > PATIENCE

    def _state(self) -> tuple[float, bool]:
        """Seconds of processor time, and whether anything is connected to another machine."""
        used, connected = 0.0, False
        try:
            server = psutil.Process(self.pid)
            processes = [server, *server.children(recursive=True)]
        except psutil.NoSuchProcess:
            return used, True  # whoever waits for it sees that it has ended
        for process in processes:
            try:
                times = process.cpu_times()
                used += times.user + times.system
                there = (c.raddr.ip for c in process.net_connections("inet") if c.raddr)
                connected |= any(not ip_address(ip.partition("%")[0]).is_loopback for ip in there)
            except psutil.Error:
                continue
        return used, connected
