"""Takes the folder of a model repository, gives its models with their configurations, and what kept one from being read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from triton_migrate.check.fields import Field, read_fields
from triton_migrate.check.records import Problem

BACKENDS = {  # backend -> the file it loads unless default_model_filename says otherwise
    "python": "model.py",
    "onnxruntime": "model.onnx",
    "pytorch": "model.pt",
    "tensorrt": "model.plan",
    "openvino": "model.xml",
    "tensorflow": "model.savedmodel",
    "vllm": "model.json",
    "fil": "",  # by parameter model_type
    "dali": "model.dali",
    "ensemble": "",
    "identity": "",
}
PLATFORMS = {
    "onnxruntime_onnx": "onnxruntime",
    "pytorch_libtorch": "pytorch",
    "tensorrt_plan": "tensorrt",
    "tensorflow_savedmodel": "tensorflow",
    "tensorflow_graphdef": "tensorflow",
    "ensemble": "ensemble",
}
_PLACE = re.compile(r"^(\d+):(\d+) : ")


@dataclass(frozen=True)
class Model:
    """One model folder. `config` is what protobuf read of `file`, `text` what was written there."""

    folder: Path
    file: str  # relative to the repository
    config: ModelConfig
    text: str

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def backend(self) -> str:
        platform = str(self.config.platform)
        return str(self.config.backend) or PLATFORMS.get(platform, platform)

    @property
    def ensemble(self) -> bool:
        return self.backend == "ensemble" or self.config.HasField("ensemble_scheduling")

    @property
    def versions(self) -> tuple[Path, ...]:
        """Version folders, lowest first; those of other names are not looked at by the server."""
        return tuple(sorted((f for f in self.folder.iterdir() if f.is_dir() and f.name.isdecimal()), key=lambda f: int(f.name)))

    @property
    def served(self) -> tuple[Path, ...]:
        """The versions that the version policy asks for."""
        match self.config.version_policy.WhichOneof("policy_choice"):
            case "all":
                return self.versions
            case "specific":
                return tuple(f for f in self.versions if int(f.name) in self.config.version_policy.specific.versions)
            case _:
                return self.versions[-(self.config.version_policy.latest.num_versions or 1) :]

    @property
    def model_files(self) -> tuple[Path, ...]:
        """What the served versions load; none where the backend has no file of a fixed name."""
        name = self.config.default_model_filename or BACKENDS.get(self.backend, "")
        return tuple(version / name for version in self.served) if name and not self.ensemble else ()

    @cached_property
    def fields(self) -> Field:
        return read_fields(self.text)

    def error(self, field: Field, rule: str, message: str, fix: str) -> Problem:
        """What the server refuses, at a field of the configuration."""
        return Problem(self.file, field.line, "error", rule, message, fix)

    def warning(self, field: Field, rule: str, message: str, fix: str) -> Problem:
        """What the server accepts and does not do as written."""
        return Problem(self.file, field.line, "warning", rule, message, fix)


def read(repository: Path) -> tuple[tuple[Model, ...], tuple[Problem, ...]]:
    """Every model that could be read, by name, and every configuration that could not."""
    found = tuple(_read(repository))
    return tuple(f for f in found if isinstance(f, Model)), tuple(f for f in found if isinstance(f, Problem))


def _read(repository: Path) -> Iterator[Model | Problem]:
    for folder in sorted(repository.iterdir()):
        if not folder.is_dir() or folder.name[0] in "._":
            continue
        main = folder / "config.pbtxt"
        if not main.is_file():
            yield Problem(
                folder.name, 1, "error", "no-config", f"model {folder.name} has no config.pbtxt", "write one, or move the folder out"
            )
            continue
        for file in (main, *sorted((folder / "configs").glob("*.pbtxt"))):
            yield read_config(repository, folder, file)


def read_config(repository: Path, folder: Path, file: Path) -> Model | Problem:
    """One configuration of the model in `folder`, as the server parses it; syntax errors carry the line."""
    place = file.relative_to(repository).as_posix()
    try:
        text = file.read_text(encoding="utf-8")
        return Model(folder, place, text_format.Parse(text, ModelConfig()), text)
    except text_format.ParseError as trouble:
        words = _PLACE.sub("", str(trouble))
        return Problem(
            place, trouble.GetLine() or 1, "error", "config-syntax", words, "the server reads nothing of this file: mend the field"
        )
    except (OSError, UnicodeDecodeError) as trouble:
        return Problem(place, 1, "error", "config-unreadable", f"cannot be read: {trouble}", "every model needs a config.pbtxt in UTF-8")
