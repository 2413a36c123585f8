"""The model repository of a ported app: takes its folder, gives its models as the server will see them.

What is wrong here is told with file and line before anything is started, because the server names neither, and because a Python
model without its file makes the server load for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from triton_migrate.base import TritonMigrateError

if TYPE_CHECKING:
    from tritonclient.grpc.model_config_pb2 import ModelConfig

STAND_INS = ("onnxruntime", "pytorch")
_MODEL_FILES = {"python": "model.py", "onnxruntime": "model.onnx", "pytorch": "model.pt"}
_PLATFORMS = {"onnxruntime_onnx": "onnxruntime", "pytorch_libtorch": "pytorch", "ensemble": "ensemble"}


@dataclass(frozen=True, slots=True)
class RepositoryModel:
    """One model folder. `files` are what the served versions load; an ensemble has none."""

    name: str
    folder: Path
    config_file: Path
    backend: str  # python | ensemble | onnxruntime | pytorch
    files: tuple[Path, ...]
    cached: bool  # asks for the response cache, which the server has only when told so
    processes: int  # Python processes that serve it: one per instance, none for an ensemble

    @property
    def missing(self) -> tuple[Path, ...]:
        return tuple(file for file in self.files if not file.is_file())


def location(app: Path) -> Path:
    return app / "triton_serving" / "model_repository"


def has_gpu() -> bool:
    return Path("/dev/nvidiactl").exists()


def read(app: Path, *, gpu: bool) -> tuple[RepositoryModel, ...]:
    """The models under `location(app)`, ensembles last. Without a GPU `configs/cpu.pbtxt` counts, as `--model-config-name=cpu` does."""
    folder = location(app)
    names = sorted(f.name for f in folder.iterdir() if f.is_dir() and f.name[0] not in "._") if folder.is_dir() else []
    if not names:
        raise TritonMigrateError(
            f"{app} has no models in triton_serving/model_repository", hint=f"apply first: triton-migrate apply {app} --write"
        )
    models = [_read_model(folder / name, gpu) for name in names]
    return tuple(sorted(models, key=lambda model: model.backend == "ensemble"))


def parse_config(file: Path) -> ModelConfig:
    """The configuration as the server parses it; errors carry the line."""
    from google.protobuf import text_format  # Triton's client takes long to load, and every command comes by here
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    try:
        return text_format.Parse(file.read_text(encoding="utf-8"), ModelConfig())
    except text_format.ParseError as trouble:
        words = str(trouble).split(" : ", 1)[-1]
        raise TritonMigrateError(words, file=str(file), line=trouble.GetLine(), hint="mend the model's configuration") from trouble
    except (OSError, UnicodeDecodeError) as trouble:
        raise TritonMigrateError(f"cannot be read: {trouble}", file=str(file), hint="every model needs a config.pbtxt") from trouble


def _read_model(folder: Path, gpu: bool) -> RepositoryModel:
    for_cpu = folder / "configs" / "cpu.pbtxt"
    config_file = for_cpu if for_cpu.is_file() and not gpu else folder / "config.pbtxt"
    config = parse_config(config_file)
    backend = config.backend or _PLATFORMS.get(config.platform, config.platform)
    if backend not in (*_MODEL_FILES, "ensemble"):
        message = (
            f"model {folder.name} needs the backend '{backend}', which cannot be run here"
            if backend
            else "has neither backend nor platform"
        )
        raise TritonMigrateError(
            message, file=str(config_file), hint=f"here run: {', '.join(_MODEL_FILES)}; for others use Triton's container"
        )
    versions = _served_versions(folder, config)
    if not versions:
        hint = f"mkdir {folder / '1'} (git drops empty folders: put a .gitkeep in it)"
        raise TritonMigrateError(f"model {folder.name} has no version folder", file=str(folder), hint=hint)
    file_name = config.default_model_filename or _MODEL_FILES.get(backend)
    files = tuple(folder / version / file_name for version in versions) if file_name and backend != "ensemble" else ()
    processes = sum(group.count or 1 for group in config.instance_group) or 1 if files else 0
    model = RepositoryModel(folder.name, folder, config_file, backend, files, config.response_cache.enable, processes)
    if backend == "python" and model.missing:
        raise TritonMigrateError(
            f"model {folder.name} has no {file_name}", file=str(model.missing[0]), hint="apply again, or restore the file"
        )
    return model


def _served_versions(folder: Path, config: ModelConfig) -> list[str]:
    present = sorted((f.name for f in folder.iterdir() if f.is_dir() and f.name.isdecimal()), key=int)
    policy = config.version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return present
        case "specific":
            return [version for version in present if int(version) in policy.specific.versions]
        case _:
            return present[-(policy.latest.num_versions or 1) :]
