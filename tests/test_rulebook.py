"""The loader, the matching, and the shipped rule files: every one loads, and what it says of an installed library exists there."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import re
import zlib
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from triton_migrate.base import TritonMigrateError
from triton_migrate.index.cache import FactsCache
from triton_migrate.rulebook import kept
from triton_migrate.rulebook.load import Rulebook, check_together, load_rulebook
from triton_migrate.rulebook.paths import expand, import_prefixes, is_pattern, prefixes, tokens
from triton_migrate.rulebook.rulefile import RuleFile, text_of
from triton_migrate.rulebook.vocabulary import DataConvert, Effect, ModelLoad, ModelPredict, WebHook, WebRequest, WebRoute
from triton_migrate.rulebook.where import rule_files

HEAD = '[library]\nname = "Toy"\nimports = ["toy"]\n'


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook()


def own(folder: Path, text: str, name: str = "toy") -> Rulebook:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return load_rulebook(folder)


def refused(folder: Path, text: str, name: str = "toy") -> TritonMigrateError:
    with pytest.raises(TritonMigrateError) as caught:
        own(folder, text, name)
    assert caught.value.file == str(folder / f"{name}.toml")
    return caught.value


# ---------------------------------------------------------------- paths


def test_tokens_and_prefixes() -> None:
    assert tokens("flask.request.files[].read()") == ("flask", "request", "files", "[]", "read", "()")
    assert list(prefixes("a.B().c")) == [("a.B().c", ""), ("a.B()", ".c"), ("a.B", "().c"), ("a", ".B().c")]
    assert list(import_prefixes("google.cloud.storage().x")) == ["google.cloud.storage", "google.cloud", "google"]


def test_braces_expand_to_every_choice() -> None:
    assert expand("a.{b,c}().{d,e}") == ("a.b().d", "a.b().e", "a.c().d", "a.c().e")
    assert expand("a.b{[],.get()}") == ("a.b[]", "a.b.get()")
    assert expand("a.b") == ("a.b",)


@pytest.mark.parametrize("text", ["a", "a.b_c().d[]", "a.*", "a.*Classifier()", "a()()", "a()[0].b"])
def test_patterns(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize("text", ["", "*", "*.a", "a.", "a..b", "a.b(", "a.b(x)", "a[b]", "a b", "a.{b"])
def test_no_patterns(text: str) -> None:
    assert not is_pattern(text)


# ---------------------------------------------------------------- what a file may say


def test_a_row_keeps_its_values_and_its_place(tmp_path: Path) -> None:
    book = own(tmp_path, HEAD + '\n[[web.route]]\napi = ["toy.App().{get,head}", "toy.route"]\npath = "url|0"\ndefault = ["GET", "HEAD"]\n')
    rule = book.find("toy.App().head", WebRoute)
    assert rule is not None
    assert (rule.api, rule.path, rule.default) == (("toy.App().get", "toy.App().head", "toy.route"), "url|0", ("GET", "HEAD"))
    assert rule.origin == f"{tmp_path / 'toy.toml'}:5"
    assert book.find("toy.App().head", WebRequest) is None
    library = book.library_of("toy.App().head")
    assert library is not None and library.name == "Toy" and library.origin.endswith("toy.toml:1")


def test_a_file_of_the_user_replaces_the_shipped_one(tmp_path: Path) -> None:
    shipped = load_rulebook()
    book = own(tmp_path, '[library]\nname = "Mine"\nimports = ["joblib"]\n', name="joblib")
    assert shipped.find("joblib.load", ModelLoad) and not book.find("joblib.load", ModelLoad)
    assert book.libraries[[lib.imports for lib in book.libraries].index(("joblib",))].name == "Mine"
    assert len(book.libraries) == len(shipped.libraries) and book.digest != shipped.digest


ROW = HEAD + "\n[[model.predict]]\n"
MISTAKES = {
    "unknown key": (ROW + 'api = "toy.run"\n# why\nrow = "x"\n', 8, "no such key: row"),
    "unknown role": (HEAD + '\n[[model.guess]]\napi = "toy.run"\n', 5, "no such role"),
    "role as one table": (HEAD + '\n[model.predict]\napi = "toy.run"\n', 5, "rows are written [[model.predict]]"),
    "wrong type": (ROW + 'api = "toy.run"\nrow_independent = "yes"\n', 7, "row_independent must be true or false, not 'yes'"),
    "number for a string": (ROW + 'api = "toy.run"\nrows = 0\n', 7, "rows must be a string"),
    "truth for a number": (HEAD + '[[flow.call]]\napi = "toy.go"\nfunction = "f|0"\nfirst = true\n', 7, "first must be a number"),
    "list with a number": (ROW + 'api = ["toy.run", 3]\n', 6, "api must be a list of strings"),
    "missing api": (ROW + 'rows = "x"\n', 5, "api is missing"),
    "missing required key": (HEAD + '\n[[flow.call]]\napi = "toy.go"\n', 5, "function is missing"),
    "no library": ('[[cache]]\napi = "toy.c"\nkind = "c"\n', 1, "this table is missing"),
    "library without imports": ('[library]\nname = "Toy"\n', 1, "imports is missing"),
    "unknown key of library": (HEAD + 'license = "MIT"\n', 4, "no such key: license"),
    "bad source": (HEAD + '[[web.request]]\napi = "toy.r"\nsource = "body"\n', 6, "source is 'body'; it must be one of json, form"),
    "bad kind": (HEAD + '[[effect]]\napi = "toy.r"\nkind = "disk"\n', 6, "kind is 'disk'"),
    "bad when": (HEAD + '[[web.hook]]\napi = "toy.r"\nwhen = "later"\n', 6, "when is 'later'"),
    "bad queue": (HEAD + '[[task.define]]\napi = "toy.r"\nqueue = "mail"\n', 6, "queue is 'mail'"),
    "bad exportable": (HEAD + '[[model.load]]\napi = "toy.r"\nexportable = "maybe"\n', 6, "exportable is 'maybe'"),
    "bad port": (ROW + 'api = "toy.run"\nrows = "x:0"\n', 7, "is not a port"),
    "bad value type": (ROW + 'api = "toy.run"\nresult = "array:float"\n', 7, "is not a value type"),
    "bad path": (ROW + 'api = "toy.run(x)"\n', 6, "'toy.run(x)' is not a path"),
    "path of another library": (ROW + 'api = "toys.run"\n', 6, "does not begin with an import root"),
    "path twice in a row": (ROW + 'api = ["toy.run", "toy.{go,run}"]\n', 6, "toy.run is given twice"),
    "path twice in a role": (ROW + 'api = "toy.run"\n\n[[model.predict]]\napi = ["toy.{go,run}"]\n', 8, "toy.run already has a row at"),
    "alias to a wildcard": (HEAD + '[alias]\n"toy.a" = "toy.b"\n"toy.c" = "toy.*"\n', 6, "not a path without wildcards"),
    "alias twice": (HEAD + '[alias]\n"toy.a" = "toy.b"\n"toy.{c,a}" = "toy.d"\n', 5, "toy.a already has an alias"),
    "alias in a circle": (HEAD + '[alias]\n"toy.a" = "toy.b"\n"toy.b" = "toy.a"\n', 5, "toy.a never settles"),
    "alias that grows": (HEAD + '[alias]\n"toy.a" = "toy.a.b"\n', 5, "toy.a never settles"),
    "rule behind an alias": (HEAD + '[alias]\n"toy.a" = "toy.b"\n[[cache]]\napi = "toy.a.c"\nkind = "c"\n', 6, "is an alias of toy.b.c"),
    "not TOML": (HEAD + "\n[[cache]\n", 5, "is not TOML"),
    "unfinished": (HEAD + 'x = [\n"a",\n', 6, "is not TOML"),
}


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named_with_their_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    error = refused(tmp_path, text)
    assert message in error.message
    assert error.line == line, str(error)
    assert str(error).startswith(f"{tmp_path / 'toy.toml'}:{line}: ")


def test_file_names_and_folders(tmp_path: Path) -> None:
    assert "named after one of its import roots; other is none" in refused(tmp_path, HEAD, name="other").message
    (tmp_path / "other.toml").write_bytes(b"\xff")
    with pytest.raises(TritonMigrateError, match="is not UTF-8"):
        load_rulebook(tmp_path)
    with pytest.raises(TritonMigrateError, match="no folder of rule files"):
        load_rulebook(tmp_path / "missing")


def test_two_libraries_cannot_share_an_import_root(tmp_path: Path) -> None:
    with pytest.raises(TritonMigrateError, match="import root joblib already belongs to"):
        own(tmp_path, '[library]\nname = "Toy"\nimports = ["toy", "joblib"]\n')


# ---------------------------------------------------------------- matching


def test_the_most_particular_pattern_wins(tmp_path: Path) -> None:
    kinds = {"toy.*": "log", "toy.*Net": "time", "toy.MyNet": "random"}
    rows = "".join(f'[[effect]]\napi = "{api}"\nkind = "{kind}"\n' for api, kind in kinds.items())
    book = own(tmp_path, HEAD + rows)
    assert [rule.kind for rule in book.rules_for("toy.MyNet") if isinstance(rule, Effect)] == ["random", "time", "log"]
    assert [rule.kind for rule in book.rules_for("toy.ANet") if isinstance(rule, Effect)] == ["time", "log"]
    assert [rule.kind for rule in book.rules_for("toy.other") if isinstance(rule, Effect)] == ["log"]
    assert not book.rules_for("toy.a.b") and not book.rules_for("toy.a()") and not book.rules_for("toys.a") and not book.rules_for("")


def test_aliases_apply_at_borders_of_names_until_nothing_changes(tmp_path: Path) -> None:
    book = own(
        tmp_path,
        HEAD + '[alias]\n"toy.old" = "toy.new"\n"toy.new.Net" = "toy.Net"\n'
        '"{toy.load,toy.models.*}()" = "toy.Net()"\n"toy.Net().{to,eval}()" = "toy.Net()"\n',
    )
    assert book.canonical("toy.old.Net().to().eval().run") == "toy.Net().run"
    assert book.canonical("toy.load().to") == "toy.Net().to"
    assert book.canonical("toy.load") == "toy.load"
    assert book.canonical("toy.older.Net") == "toy.older.Net"
    assert book.canonical("toy.models.small().eval()()") == "toy.Net()()"


def test_a_rulebook_travels_to_other_processes(book: Rulebook) -> None:
    copy = pickle.loads(pickle.dumps(book))
    assert copy == book and copy.digest == book.digest
    assert copy.find("flask.Flask().route", WebRoute) == book.find("flask.Flask().route", WebRoute)


# ---------------------------------------------------------------- the shipped files


def test_what_the_shipped_rules_know(book: Rulebook) -> None:
    assert {"flask", "fastapi", "sklearn", "torch", "PIL", "werkzeug"} <= book.import_roots
    assert book.canonical("starlette.requests.Request().app.state") == "fastapi.FastAPI().state"
    assert book.canonical("fastapi.requests.Request") == "fastapi.Request"
    assert book.canonical("starlette.responses.JSONResponse") == "fastapi.responses.JSONResponse"
    assert book.canonical("tensorflow.keras.models.load_model().predict") == "keras.Model().predict"
    assert book.canonical("sklearn.svm.SVC().fit().predict") == "sklearn.base.BaseEstimator().predict"
    assert book.canonical("sklearn.datasets.load_iris().data") == "sklearn.datasets.load_iris().data"
    assert book.canonical("torch.load().to().eval()") == "torch.nn.Module()"
    load, predict = book.find("joblib.load", ModelLoad), book.find("torch.nn.Module()()", ModelPredict)
    assert load is not None and load.opaque and predict is not None and predict.row_independent
    convert = book.find("numpy.array", DataConvert)
    assert convert is not None and convert.container and convert.result == "array:arg:dtype|1|same"
    hook = book.find("fastapi.FastAPI().on_event", WebHook)
    assert hook is not None and hook.when == "arg:event_type|0"
    for spelled in ("scikit-learn", "Scikit_Learn"):
        library = book.by_package(spelled)
        assert library is not None and library.framework == "sklearn"
    assert book.by_package("no-such-thing") is None and book.library_of("no.such.thing") is None


@pytest.mark.parametrize(
    ("inner", "public"),
    [
        ("pytorch_lightning.core.lightning.LightningModule", "pytorch_lightning.LightningModule"),
        ("lightning.pytorch.core.LightningModule", "pytorch_lightning.LightningModule"),
        ("lightning.pytorch.trainer.trainer.Trainer", "pytorch_lightning.Trainer"),
        ("keras._tf_keras.keras.models.load_model", "keras.models.load_model"),
        ("keras.src.saving.saving_api.load_model", "keras.models.load_model"),
        ("transformers.models.bert.modeling_bert.BertForSequenceClassification", "transformers.BertForSequenceClassification"),
        ("transformers.models.auto.modeling_auto.AutoModel", "transformers.AutoModel"),
        ("transformers.modeling_bert.BertModel", "transformers.BertModel"),
        ("torchvision.models.detection.faster_rcnn.fasterrcnn_resnet50_fpn", "torchvision.models.detection.fasterrcnn_resnet50_fpn"),
        ("ultralytics.models.YOLO", "ultralytics.YOLO"),
        ("ultralytics.models.yolo.model.YOLO", "ultralytics.YOLO"),
        ("ultralytics.yolo.engine.model.YOLO", "ultralytics.YOLO"),
        ("ultralytics.models.sam.SAM", "ultralytics.SAM"),
        ("sentence_transformers.SentenceTransformer.SentenceTransformer", "sentence_transformers.SentenceTransformer"),
        ("sentence_transformers.cross_encoder.CrossEncoder.CrossEncoder", "sentence_transformers.CrossEncoder"),
        ("fastai.vision.learner.load_learner", "fastai.learner.load_learner"),
        ("onnxruntime.capi.onnxruntime_inference_collection.InferenceSession", "onnxruntime.InferenceSession"),
        ("faster_whisper.transcribe.WhisperModel", "faster_whisper.WhisperModel"),
        ("diffusers.pipelines.StableDiffusionPipeline", "diffusers.StableDiffusionPipeline"),
        ("diffusers.pipelines.stable_diffusion.StableDiffusionPipeline", "diffusers.StableDiffusionPipeline"),
        ("diffusers.pipelines.flux.pipeline_flux.FluxPipeline", "diffusers.FluxPipeline"),
        ("torch.serialization.load", "torch.load"),
        ("torch.jit._serialization.load", "torch.jit.load"),
        ("paddleocr.paddleocr.PaddleOCR", "paddleocr.PaddleOCR"),
        ("easyocr.easyocr.Reader", "easyocr.Reader"),
        ("fasttext.FastText.load_model", "fasttext.load_model"),
        ("llama_cpp.llama.Llama", "llama_cpp.Llama"),
        ("timm.models.factory.create_model", "timm.models.create_model"),
        ("efficientnet_pytorch.model.EfficientNet.from_pretrained", "efficientnet_pytorch.EfficientNet.from_pretrained"),
        ("stanza.pipeline.core.Pipeline", "stanza.Pipeline"),
    ],
)
def test_a_class_is_known_by_the_module_that_defines_it(book: Rulebook, inner: str, public: str) -> None:
    """Programs import from where an editor found the class, not only from the front of the library."""
    assert book.canonical(inner) == book.canonical(public)


def test_shipped_files_agree_with_each_other(book: Rulebook) -> None:
    files = tuple(RuleFile.parse(text_of(path, f"rules/{path.name}"), path.stem, f"rules/{path.name}") for path in rule_files())
    assert len(files) == len(book.libraries) > 40
    check_together(book, files)


@pytest.mark.parametrize("path", rule_files(), ids=lambda path: path.stem)
def test_every_shipped_file_names_its_source_and_its_places(path: Path, book: Rulebook) -> None:
    assert "https://" in path.read_text(encoding="utf-8").partition("[library]")[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    library = next(lib for lib in book.libraries if lib.origin.startswith(f"rules/{path.name}:"))
    for rule in library.rules:
        line = int(rule.origin.rpartition(":")[2])
        assert lines[line - 1].startswith(f"[[{rule.role}]]")
    if any(isinstance(rule, ModelLoad) for rule in library.rules):
        assert library.framework


# ---------------------------------------------------------------- do the described APIs exist?

# Names that stand for an object without a public class.
STANDS_FOR = re.compile(
    r"pickle\.object|flask\.Flask\(\)\._get_current_object|rq\.job\.function|torch\.optim\.\*\(\)|statsmodels\.Results"
    r"|autogluon\.Predictor|builtins\.object|arq\.worker\.Context"
    r"|sklearn\.base\.BaseEstimator\(\)\.(model|clf|classifier|regressor|pipeline|net)$"  # of a program's own class
    r"|flask\.(Flask|Blueprint)\(\)\.(arguments|input|register_api|websocket|add_websocket)$"  # of what its extensions and Quart have
)
# Gone from the installed release or not in it yet, but in applications that pin another; or an extension's own.
OTHER_RELEASE = re.compile(
    r"flask\.(Flask|Blueprint)\(\)\.(before_first_request|before_app_first_request)"
    r"|fastapi\.(FastAPI|APIRouter)\(\)\.(route|websocket_route|add_websocket_route|add_event_handler|on_event)"
    r"|fastai\.(basic_train|tabular|text|vision)\.|numpy\.concat|pydantic\.BaseSettings|werkzeug\.(FileStorage|secure_filename)|sklearn\.externals"
    r"|cv2\.dnn\.readNetFrom(Caffe|Darknet|Torch)|openvino\.(runtime|inference_engine)|celery\.task$|huggingface_hub\.InferenceApi"
    r"|base64\.(decode|encode)string|flask\.(Flask|Blueprint)\(\)\.(input|arguments)|torch\.nn\.Module\(\)\.apply_tts"
)
# One canonical instance stands for a family; a method exists when a member of the family has it.
FAMILIES = {
    "aiohttp.web.Application": ("aiohttp.web.UrlDispatcher",),
    "sklearn.base.BaseEstimator": (
        "sklearn.pipeline.Pipeline", "sklearn.linear_model.SGDClassifier", "sklearn.cluster.KMeans", "sklearn.neighbors.NearestNeighbors",
        "sklearn.preprocessing.StandardScaler", "sklearn.model_selection.GridSearchCV", "sklearn.ensemble.VotingClassifier",
    ),
    "xgboost.XGBModel": ("xgboost.XGBClassifier",),
    "lightgbm.LGBMModel": ("lightgbm.LGBMClassifier",),
    "catboost.CatBoost": ("catboost.CatBoostClassifier",),
    "transformers.models.*": ("transformers.models.bert",),
    "transformers.ProcessorMixin": ("transformers.CLIPProcessor", "transformers.DetrImageProcessor"),
    "cv2.dnn.Model": ("cv2.dnn.DetectionModel", "cv2.dnn.ClassificationModel", "cv2.dnn.SegmentationModel", "cv2.dnn.KeypointsModel",
                      "cv2.dnn.TextRecognitionModel"),
    "openvino.CompiledModel": ("openvino.InferRequest",),
    "flask.request": ("flask.Request()",),
    "flask.session": ("flask.sessions.SecureCookieSession()",),
}  # fmt: skip
MISSING = object()


@cache
def described() -> dict[str, frozenset[str]]:
    """The paths that each library's file is about, by the library's name."""
    return {
        library.name: frozenset(
            (*(path for rule in library.rules for path in rule.api), *(path for alias in library.alias for path in alias))
        )
        for library in load_rulebook().libraries
    }


@cache
def roots() -> frozenset[str]:
    return load_rulebook().import_roots


def root_of(path: str) -> str:
    """The import root of a path: `google.genai`, not `google`, which is a folder that many share."""
    return next((name for name in import_prefixes(path) if name in roots()), path.partition(".")[0])


@cache
def installed(root: str) -> bool:
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError):
        return False


def member(owner: object, name: str) -> object:
    """`owner.name`, or the submodule; MISSING when there is neither."""
    try:
        return getattr(owner, name)
    except AttributeError:
        pass
    except ImportError:  # a lazy member that needs a library which is not installed
        return None
    if isinstance(owner, ModuleType):
        try:
            return importlib.import_module(f"{owner.__name__}.{name}")
        except ImportError as error:
            if error.name != f"{owner.__name__}.{name}":  # it is there, and needs a library that is not
                return None
    return MISSING


def instance_has(cls: type, name: str) -> bool:
    """Whether instances have an attribute: of the class, set on `self` anywhere in it, or made up by `__getattr__`."""
    if hasattr(cls, name) or hasattr(cls, "__getattr__"):
        return True
    for base in cls.__mro__:
        if name in inspect.get_annotations(base):
            return True
        try:
            if re.search(rf"self\.{name}\b", inspect.getsource(base)):
                return True
        except (OSError, TypeError):
            continue
    return False


def exists(path: str) -> bool:
    """Whether the path leads somewhere in the installed library, as far as this can be told without calling anything."""
    parts = tokens(path)
    owner: object = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], 1):
        if part == "[]" or (part == "()" and not isinstance(owner, type)):
            return True  # what a function or an element gives is not known here
        if part == "()":
            following = parts[number + 1 : number + 2]
            if not following or following[0] in ("()", "[]") or "*" in following[0]:
                return True
            return isinstance(owner, type) and instance_has(owner, following[0])
        if "*" in part:
            wanted = re.compile(re.escape(part).replace(r"\*", ".*"))
            found = [name for name in dir(owner) if wanted.fullmatch(name) and not name.startswith("_")]
            if not found:
                return False
            owner = member(owner, found[0])
        else:
            owner = member(owner, part)
        if owner is MISSING:
            return False
        if owner is None:
            return True
    return True


@pytest.mark.parametrize("library", sorted(described()))
def test_described_api_exists(library: str) -> None:
    paths = sorted(path for path in described()[library] if installed(root_of(path)))
    if not paths:
        pytest.skip("not installed")
    for root in {root_of(path) for path in paths}:
        pytest.importorskip(root, exc_type=ImportError)
    known = (path for path in paths if not STANDS_FOR.match(path) and not OTHER_RELEASE.match(path))
    assert not [path for path in known if not any(exists(member_path) for member_path in spellings(path))]


def spellings(path: str) -> tuple[str, ...]:
    """The path, or for a family's path the same of each member."""
    for head, members in FAMILIES.items():
        if path.startswith((head + "()", head + ".")) or (head.endswith("*") and path.startswith(head)):
            own = () if head.startswith("flask") else (path,)
            return own + tuple(name + path[len(head) :] for name in members)
    return (path,)


def test_rows_are_plain_values(book: Rulebook) -> None:
    for library in book.libraries:
        for rule in library.rules:
            assert all(isinstance(value, (str, bool, int, tuple)) for value in dataclasses.astuple(rule))


def test_what_was_read_comes_back_from_the_cache(tmp_path: Path) -> None:
    store = FactsCache(tmp_path / "cache")
    read, again = load_rulebook(cache=store), load_rulebook(cache=store)
    assert read == again == load_rulebook()
    assert [library.rules for library in read.libraries] == [library.rules for library in again.libraries]
    assert again.rules_for("flask.Flask().route") == read.rules_for("flask.Flask().route") != ()


def test_an_edited_rule_file_is_read_anew(tmp_path: Path) -> None:
    store, file = FactsCache(tmp_path / "cache"), tmp_path / "toy.toml"
    file.write_text(HEAD, encoding="utf-8")
    first = load_rulebook(tmp_path, store)
    file.write_text(HEAD.replace("Toy", "Other"), encoding="utf-8")
    second = load_rulebook(tmp_path, store)
    assert [found.name for found in (first.library_of("toy.f"), second.library_of("toy.f")) if found] == ["Toy", "Other"]
    assert first.digest != second.digest
    file.write_text(HEAD.replace('"Toy"', "1"), encoding="utf-8")
    with pytest.raises(TritonMigrateError) as caught:
        load_rulebook(tmp_path, store)
    assert caught.value.file == str(file)


@pytest.mark.parametrize(
    "data", [b"", b"junk", zlib.compress(b"junk"), zlib.compress(pickle.dumps(["no library"])), zlib.compress(pickle.dumps(Path("x")))]
)
def test_what_is_no_rulebook_is_not_unpacked(data: bytes) -> None:
    assert kept.unpacked(data) is None
