import os
import time
from abc import ABC, abstractmethod
from threading import Lock

IDLE = int(os.getenv("IDLE_SECONDS", "0"))


class Engine(ABC):
    model = None
    lock = Lock()
    last_used = time.time()

    @abstractmethod
    def load(self): ...

    @abstractmethod
    def report(self, rows, options, layout): ...

    def watch(self):
        if IDLE <= 0:
            return
        while True:
            time.sleep(15)
            if time.time() - self.last_used > IDLE:
                with self.lock:
                    self.release()
                    break

    def release(self):
        del self.model
        self.model = None
