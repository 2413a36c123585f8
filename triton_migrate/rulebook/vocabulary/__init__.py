"""The closed vocabulary of rules: what a library's API *is*. One frozen row type per role.

A row describes *access paths*, the way a program reaches an API:

    sklearn.svm.SVC             an importable name
    flask.Flask()               an instance of that class (constructed, annotated, or of a user subclass), or a call's result
    flask.Flask().route         an attribute or method of it
    flask.request.form[]        an element: subscript, iteration, unpacking
    torch.nn.Module()()         calling an instance
    sklearn.*.*Classifier()     `*` stands for one name or a part of one; `{get,post}` for alternatives

*Ports* say where a call's value comes from or goes to: `"rule|0"` (keyword `rule`, else positional 0), `"methods"` (keyword
only), `"0"` (positional only), `"*"` (all arguments), `"self"` (the receiver). Positions do not count the receiver.
"""

from __future__ import annotations

from triton_migrate.rulebook.vocabulary.data import Cache, DataConvert, DataLive, Effect, Metric
from triton_migrate.rulebook.vocabulary.models import (
    ModelConfigure,
    ModelConstruct,
    ModelLoad,
    ModelPlace,
    ModelPredict,
    ModelSave,
    ModelTrain,
)
from triton_migrate.rulebook.vocabulary.rule import Library, Rule
from triton_migrate.rulebook.vocabulary.web import (
    WebAbort,
    WebAction,
    WebApp,
    WebArguments,
    WebAuth,
    WebClass,
    WebEndpoint,
    WebHook,
    WebLimit,
    WebMethods,
    WebMount,
    WebParameter,
    WebRequest,
    WebResponse,
    WebRoute,
    WebRouter,
    WebSchema,
    WebView,
)
from triton_migrate.rulebook.vocabulary.work import (
    ChannelPut,
    ChannelTake,
    FlowBind,
    FlowCall,
    StreamSource,
    TaskDefine,
    TaskEnqueue,
    TaskOption,
    TaskRunning,
    TaskWait,
)

__all__ = [
    "ROLES",
    "Cache",
    "ChannelPut",
    "ChannelTake",
    "DataConvert",
    "DataLive",
    "Effect",
    "FlowBind",
    "FlowCall",
    "Library",
    "Metric",
    "ModelConfigure",
    "ModelConstruct",
    "ModelLoad",
    "ModelPlace",
    "ModelPredict",
    "ModelSave",
    "ModelTrain",
    "Rule",
    "StreamSource",
    "TaskDefine",
    "TaskEnqueue",
    "TaskOption",
    "TaskRunning",
    "TaskWait",
    "WebAbort",
    "WebAction",
    "WebApp",
    "WebArguments",
    "WebAuth",
    "WebClass",
    "WebEndpoint",
    "WebHook",
    "WebLimit",
    "WebMethods",
    "WebMount",
    "WebParameter",
    "WebRequest",
    "WebResponse",
    "WebRoute",
    "WebRouter",
    "WebSchema",
    "WebView",
]

ROLES: dict[str, type[Rule]] = {
    row.role: row
    for row in (
        WebApp, WebRouter, WebRoute, WebMount, WebView, WebClass, WebMethods, WebAction, WebEndpoint, WebSchema, WebArguments, WebRequest,
        WebParameter, WebResponse, WebAbort, WebAuth, WebLimit, WebHook,
        ModelLoad, ModelConstruct, ModelPredict, ModelTrain, ModelSave, ModelConfigure, ModelPlace, DataConvert, DataLive, Effect, FlowCall,
        TaskDefine, TaskEnqueue, TaskWait, TaskOption, TaskRunning, StreamSource,
        ChannelPut, ChannelTake, FlowBind,
        Cache, Metric,
    )
}  # fmt: skip
