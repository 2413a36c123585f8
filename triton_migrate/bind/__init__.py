"""Takes tight pipelines, gives what PyTriton binds where it lives: which functions and calls, on which live objects, for which routes.

The application's state lives in the memory of one process, so one process owns Triton and that state; the others are its clients.

1. A predict call, or the smallest function of plain arguments around it (if there is none, it is made of the statements), is bound *in
   place*: the owner runs the original on its own object, found by a path from a module (`live("shop.py").model`), and sees every change.
2. Locks stay inside what is bound: a caller that held one across the call would wait for the owner's thread, and guard only its copy.
3. Rows of a database travel as the attributes that the bound function reads. What cannot travel, or needs a request, is not bound.
4. With several workers a route (or task) that reads or changes live state *outside* the bound functions is the owner's: its request is
   forwarded whole. So feedback trains the model that predicts, and a prediction after it cannot be stale. One worker forwards nothing.
5. The owner is whoever holds a lock of the operating system when the first request arrives (ASGI: at lifespan start-up), so neither a
   reloader's parent nor a preloading master becomes one. The lock goes with the process: the next asker becomes the owner, from the
   state a new process has. A helper beside the owner ends Triton and clears /dev/shm however the owner ended.
"""
