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
COMPLETING = frozenset({"onnxruntime", "tensorrt", "tensorflow", "openvino", "vllm"})  # read what a config leaves out from the model's file
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
        return str(self.config.backend) or PLATFORMS.get(platform, platform) or self._derived

    @cached_property
    def _derived(self) -> str:
        """As the server does where neither is written: by the model's file, or by what follows a dot in the folder's name."""
        there = {str(self.config.default_model_filename)} - {""} or {f.name for version in self.versions[:1] for f in version.iterdir()}
        return next((backend for backend, file in BACKENDS.items() if file in there), self.folder.suffix[1:])

    @cached_property
    def completes(self) -> bool:
        """Does its backend fill in what the configuration leaves out: batch size, tensors, types, dims?"""
        files = self.model_files if self.backend == "python" else ()
        return self.backend in COMPLETING or any(file.is_file() and b"def auto_complete_config" in file.read_bytes() for file in files)

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

    def note(self, field: Field, rule: str, message: str, fix: str) -> Problem:
        """What is right, and depends on something that is not in the repository."""
        return Problem(self.file, field.line, "note", rule, message, fix)


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
            yield _no_config(folder)
            continue
        for file in (main, *sorted((folder / "configs").glob("*.pbtxt"))):
            yield read_config(repository, folder, file)


def _no_config(folder: Path) -> Problem:
    """A model that is not served where the folder holds a model's file; else a folder that is no model."""
    files = {file.name for version in folder.iterdir() if version.is_dir() and version.name.isdecimal() for file in version.iterdir()}
    if files & set(filter(None, BACKENDS.values())):
        return Problem(
            folder.name, 1, "error", "no-config", f"model {folder.name} has no config.pbtxt", "write one, or move the folder out"
        )
    message = f"{folder.name} is no model: it has neither config.pbtxt nor a model's file in a version folder"
    return Problem(folder.name, 1, "note", "no-model", message, "a server that loads all models trips over it: move it out")


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
