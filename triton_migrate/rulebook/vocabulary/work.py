"""Rows about work that goes on elsewhere: tasks on queues, channels between threads, sources of items, calls of what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triton_migrate.rulebook.vocabulary.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefine(Rule):
    """Decorator or call that makes a function a queue task."""

    role: ClassVar[str] = "task.define"
    queue: str  # celery | rq | huey | dramatiq | arq | taskiq | django-q | background-task | thread
    name: str = ""  # port of the task's name
    handler: str = "decorated"
    bound: str = ""  # port of a flag: the function's first parameter is the task itself (`bind=True`)
    base: str = ""  # port of the class that the task object is an instance of, its other options being attributes of it
    default: str = ""  # attribute of the receiver that holds this class when the port is absent (`app.Task = ModelTask`)
    called: bool = False  # calling the function puts it on the queue (Huey)
    gives: str = ""  # what such a call gives, as a path of the rulebook
    plain: str = ""  # method of such a task, as in TaskEnqueue
    listed: str = ""  # class attribute that lists tasks by convention (arq's `WorkerSettings.functions`)
    startup: str = ""  # attribute of the same class: what a worker runs first
    passes: str = ""  # what these functions get as their first parameter, as a path of the rulebook
    itself: str = ""  # with `bound`: they get that as this parameter, and not as the first (`context=True` of Huey)
    json: bool = False  # what its tasks are given, and give, crosses as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnqueue(Rule):
    """Call that puts work on a queue.

    `callee`: port of the function or of its name; "self" for methods of the task object; "self[]" for those of a task that is looked up by
    its name (`app.tasks["score"].delay(x)`).
    """

    role: ClassVar[str] = "task.enqueue"
    queue: str
    callee: str = "self"
    first: int = -1  # position of the first argument passed on; -1: none are
    args: str = ""  # port of a list of positional arguments
    kwargs: str = ""  # port of a dict of keyword arguments
    partial: bool = False  # it is a part of a workflow: what it is not given comes from the part before (`chain(f.s(x), g.s())`)
    closed: bool = False  # such a part is given nothing by the part before
    direct: str = ""  # method of the task that runs it here: it takes the same arguments, or those passed on as a tuple and a dict
    plain: str = ""  # the same, but it gives what the task returns, and not what `task.wait` is called on; "()": calling the function
    own: tuple[str, ...] = ()  # keywords that the queue keeps for itself
    defines: str = ""  # when what is put there is a task by that: "always" (RQ), "in-route" (a thread), "training" (if it trains), or not


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWait(Rule):
    """Call on what a `task.enqueue` gave that waits for the task's result, and raises what the task raised."""

    role: ClassVar[str] = "task.wait"
    before: tuple[str, ...] = ()  # attributes of it that lead to the results of the tasks before it in a workflow
    late: tuple[str, ...] = ()  # what it raises where the result does not come in time
    blocks: str = ""  # port of a flag without which it does not wait
    polls: tuple[str, ...] = ()  # it never waits itself: a loop before it does, that asks only these of what was put there


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOption(Rule):
    """What a queue is told about its tasks: a decorator's or a call's keywords, attributes of its settings, or a call that says it itself.

    Options may also be attributes of a class by convention (`task.define`'s `listed`). A kind is one of retries, late-ack, delay, expiry,
    priority, rate-limit, time-limit, workflow, result, routing, concurrency, in-process (it runs beside the request, in the same process).
    """

    role: ClassVar[str] = "task.option"
    queue: str
    kind: str = ""  # of the call itself (`self.retry(...)`, `chain(...)`)
    sequence: str = (
        ""  # it makes a workflow of parts of which each is given the result of the one before; a task is put there by that method
    )
    options: tuple[str, ...] = ()  # "acks_late=late-ack": keyword, or attribute that the program sets, and its kind
    # how its worker starts; {object}: where what the call makes is held (`pkg.tasks:app`), {dotted}: the same with a dot, {module}: the
    # call's module, {name}: see `named`
    worker: str = ""
    named: str = ""  # port of a name for `worker`; "default" without one
    milliseconds: bool = False  # its times are, not seconds
    urgent: tuple[str, ...] = ()  # which numbers of a priority come first: "greatest" or "least"; "redis=least": with that broker


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRunning(Rule):
    """What tells of the job that runs, or changes it (`self.request` of a task, `get_current_job()`): it is known in its worker only."""

    role: ClassVar[str] = "task.running"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPut(Rule):
    """Call that puts something where a loop elsewhere takes it from: a `queue.Queue`, a Redis list, a future."""

    role: ClassVar[str] = "channel.put"
    channel: str  # port of the channel's name, or "self": the receiver is the channel
    item: str = "0"  # port of what is put there
    plain: bool = False  # the receiver is a container for anything: a channel where a worker's loop, that goes on for ever, takes from it


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTake(Rule):
    """Call that takes from such a channel; the function that does so in a loop is its worker."""

    role: ClassVar[str] = "channel.take"
    channel: str
    plain: bool = False  # as in ChannelPut


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource(Rule):
    """What gives incoming items outside HTTP.

    Read in a loop (`cv2.VideoCapture().read`), iterated (`kafka.KafkaConsumer()[]`), or handed to a callback.
    """

    role: ClassVar[str] = "stream.source"
    kind: str  # messages | video | audio | socket | schedule | rpc | command (what a person starts by hand)
    handler: str = ""  # port of the callback, or "decorated"; none: the code that reads
    generated: str = ""  # how such calls end whose modules are generated, and are not there: `*_pb2_grpc.add_*_to_server`
    served: str = ""  # their port of an object whose public methods all are callbacks
    takes: int = 0  # of so many arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCall(Rule):
    """Call that calls one of its arguments and gives (or later gives) its result: `asyncio.to_thread(f, x)`, `Depends(f)`."""

    role: ClassVar[str] = "flow.call"
    function: str  # port of the callable; "self": the function that a library's decorator made the receiver of (`task.call_local(x)`)
    given: str = ""  # port of the callable in the call that made the receiver, where that got it (`Streamer(predict).submit(x)`): "self"
    first: int = -1  # position of the first argument passed on; -1: none are
    named: bool = False  # named arguments are passed on, too
    each: bool = False  # it calls it for each element of the arguments passed on, and gives all results (`map(f, xs)`)
    beside: bool = False  # it goes on beside its caller, so that nobody waits for it where the call's result is dropped
    method: str = ""  # it makes an object and calls this method of it: `function` is "self", and the class is what the receiver hangs on
    made: str = ""  # attributes of the receiver's class that lead to that class instead (`Meta.model`)
    steps: tuple[str, ...] = ()  # it calls these methods of its receiver, each with what the one before gave; the second gets all arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBind(Rule):
    """Call that makes a callable of an argument, others being given already: `functools.partial(f, x)`, `providers.Singleton(C)`."""

    role: ClassVar[str] = "flow.bind"
    function: str  # port
    first: int = 1  # position of the first argument given already
    injects: bool = False  # arguments that are such callables are called, too, and what they give is passed
