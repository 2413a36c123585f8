"""`changes`: patches that the real git takes and takes back byte for byte, and a writer that does all or nothing."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from triton_migrate.base import TritonMigrateError
from triton_migrate.changes import ChangeSet, FileEdit, NewFile, bytes_of, check, diff_of, patch_bytes, read_text, write

CONFIG = 'name: "iris"\nbackend: "python"\nmax_batch_size: 8\n'


def new(path: str, text: str, *, executable: bool = False) -> NewFile:
    return NewFile(path, text, "why", executable)


def edit(path: str, before: str, after: str) -> FileEdit:
    return FileEdit(path, before, after, "why", "safe")


def git(root: Path, *arguments: str, data: bytes = b"") -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.autocrlf=false")
    done = subprocess.run(["git", *identity, "-C", str(root), *arguments], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")


def repository(root: Path, files: dict[str, bytes]) -> Path:
    git(root, "init", "-q")
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "before")
    return root


def tree(root: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file with its bytes and whether it can be run; empty folders too."""
    paths = [path for path in root.rglob("*") if ".git" not in path.relative_to(root).parts]
    return {str(path.relative_to(root)): (path.read_bytes() if path.is_file() else b"", os.access(path, os.X_OK)) for path in paths}


def check_patch(root: Path, changes: ChangeSet) -> None:
    """Git applies the patch to what `write` gives, and takes it back to what was there."""
    patch = patch_bytes(changes)
    before = tree(root)
    git(root, "apply", "--check", data=patch)
    git(root, "apply", "--whitespace=nowarn", data=patch)
    applied = tree(root)
    git(root, "apply", "-R", "--whitespace=nowarn", data=patch)
    assert tree(root) == before
    write(changes, root)
    assert tree(root) == applied
    for change in changes.ordered():
        text = change.text if isinstance(change, NewFile) else change.after
        assert (root / change.path).read_bytes() == bytes_of(change.path, text)
    git(root, "apply", "-R", "--whitespace=nowarn", data=patch)
    assert {name: at for name, at in tree(root).items() if (root / name).is_file()} == {
        name: at for name, at in before.items() if (root / name).is_file()
    }


# ---------------------------------------------------------------- patch


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1\nb = 2\n", "a = 1\nb = 3\n"),
        ("a = 1\nb = 2", "a = 1\nb = 3"),
        ("a = 1\nb = 2", "a = 1\nb = 2\n"),
        ("a = 1\nb = 2\n", "a = 1\nb = 2"),
        ("a = 1\r\nb = 2\r\n", "a = 1\r\nb = 3\r\n"),
        ("a = 1\r\nb = 2\n", "a = 1\nb = 2\r\n"),
        ("", "a = 1\n"),
        ("", "a = 1"),
        ("a = 1\n", ""),
        ("a = 1", ""),
        ("\n", ""),
        ("\ufeffa = 1\n", "\ufeffa = 2\n"),
        ("# coding: latin-1\na = 'é'\nb = 1\n", "# coding: latin-1\na = 'é'\nb = 'ü'\n"),
        ("#!/usr/bin/python\r\n# coding: cp1252\r\na = '€'\r\n", "#!/usr/bin/python\r\n# coding: cp1252\r\na = '€€'\r\n"),
        ("a = '\x0c\u2028'\nb = 1\n", "a = '\x0c\u2028'\nb = 2\n"),
        ("".join(f"a{n} = {n}\n" for n in range(99)), "".join(f"a{n} = {n + (n in (0, 50, 98))}\n" for n in range(99))),
    ],
)
def test_edit(tmp_path: Path, before: str, after: str) -> None:
    repository(tmp_path, {"app.py": bytes_of("app.py", before)})
    assert read_text(tmp_path / "app.py") == before
    check_patch(tmp_path, ChangeSet(edits=(edit("app.py", before, after),)))


@pytest.mark.parametrize(
    "path", ["app.py", "a b/c d.py", "größe/ü.py", 'q"uote.py', "tab\tnew\nline.py", "back\\slash.py", "ends .py", "a/b/c/d.py", "'x'.py"]
)
@pytest.mark.parametrize("text", ["", "a = 1\n", "a = 1"])
def test_new_file(tmp_path: Path, path: str, text: str) -> None:
    repository(tmp_path, {"other.txt": b"x\n"})
    check_patch(tmp_path, ChangeSet(new=(new(path, text),)))


@pytest.mark.parametrize("path", ["a b/c d.py", "größe.py", 'q"uote.py'])
def test_edit_of_unusual_path(tmp_path: Path, path: str) -> None:
    repository(tmp_path, {path: b"a = 1\n"})
    check_patch(tmp_path, ChangeSet(edits=(edit(path, "a = 1\n", "a = 2\n"),)))


def test_executable_and_kept_mode(tmp_path: Path) -> None:
    repository(tmp_path, {"run.sh": b"echo 1\n", "x.txt": b"\xff\xfea\x00\n\x00"})
    (tmp_path / "run.sh").chmod(0o755)
    git(tmp_path, "commit", "-qam", "mode")
    text = read_text(tmp_path / "x.txt")
    changes = ChangeSet(
        new=(new("start.sh", "#!/bin/sh\n", executable=True), new("plain.sh", "x\n")),
        edits=(edit("run.sh", "echo 1\n", "echo 2\n"), edit("x.txt", text, text + "b\0\n\0")),
    )
    check_patch(tmp_path, changes)
    write(changes, tmp_path)
    modes = {name: os.access(tmp_path / name, os.X_OK) for name in ("run.sh", "start.sh", "plain.sh")}
    assert modes == {"run.sh": True, "start.sh": True, "plain.sh": False}


def test_how_a_patch_reads() -> None:
    changes = ChangeSet(
        new=(new("z/__init__.py", ""), new("b.py", "x = 1\n")), edits=(edit("c.py", "a\nb\n", "a\nc\n"), edit("d.py", "a\n", "a\n"))
    )
    assert patch_bytes(changes).decode() == (
        "diff --git a/b.py b/b.py\nnew file mode 100644\nindex 0000000..7d4290a\n--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+x = 1\n"
        "diff --git a/c.py b/c.py\nindex 422c2b7..0f7bc76\n--- a/c.py\n+++ b/c.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        "diff --git a/z/__init__.py b/z/__init__.py\nnew file mode 100644\nindex 0000000..e69de29\n"
    )
    assert "".join(map(diff_of, changes.ordered())) == patch_bytes(changes).decode()
    assert diff_of(changes.edits[1]) == ""
    assert patch_bytes(ChangeSet()) == b""


def test_blob_names_are_gits(tmp_path: Path) -> None:
    repository(tmp_path, {"a.py": b"x = 1\n"})
    assert git(tmp_path, "rev-parse", "HEAD:a.py")[:7] in patch_bytes(ChangeSet(edits=(edit("a.py", "x = 1\n", "x = 2\n"),))).decode()


def test_random_edits(tmp_path: Path) -> None:
    chance = random.Random(7)
    repository(tmp_path, {})
    for number in range(25):
        ends = chance.choice([("\n",), ("\r\n",), ("\n", "\r\n", "\r")])
        lines = [f"v{chance.randrange(5)} = '{chance.choice('aéß€')}'{chance.choice(ends)}" for _ in range(chance.randrange(40))]
        after = list(lines)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(after) + 1)
            after[at : at + chance.randrange(3)] = [f"w{chance.randrange(3)} = 1\n"] * chance.randrange(3)
        texts = ["".join(lines), "".join(after)]
        old, now = (text.rstrip("\r\n") if chance.random() < 0.3 else text for text in texts)
        name = f"f{number}.py"
        (tmp_path / name).write_bytes(bytes_of(name, old))
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", name)
        check_patch(tmp_path, ChangeSet(edits=(edit(name, old, now),), new=(new(f"n{number}.py", now),)))


# ---------------------------------------------------------------- check


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (ChangeSet(new=(new("a.py", "x = 1\n"),)), "a.py: would be created, but is there already"),
        (ChangeSet(edits=(edit("a.py", "old\n", "x\n"),)), "a.py: changed since it was scanned"),
        (ChangeSet(edits=(edit("none.py", "", "x\n"),)), "none.py: cannot be read"),
        (ChangeSet(edits=(edit("a.py", "a = 1\n", "a = 1\nb = (\n"),)), "a.py:2: would not compile"),
        (ChangeSet(edits=(edit("a.py", "a = 1\n", "return 1\n"),)), "a.py:1: would not compile"),
        (ChangeSet(new=(new("b.py", "x = \0\n"),)), "would not compile"),
        (ChangeSet(new=(new("b.py", "# coding: latin-1\nx = '€'\n"),)), "b.py: cannot be written in its encoding"),
        (ChangeSet(new=(new("b.py", "# coding: nonsense\n"),)), "b.py: cannot be written in its encoding"),
        (ChangeSet(new=(new("m/config.pbtxt", 'name: "a"\nbackend\n'),)), "m/config.pbtxt:3: not a Triton model configuration"),
        (ChangeSet(new=(new("m/config.pbtxt", "batch: 1\n"),)), "m/config.pbtxt:1: not a Triton model configuration"),
        (ChangeSet(new=(new("../b.py", ""),)), "not a path inside the app"),
        (ChangeSet(new=(new("/tmp/b.py", ""),)), "not a path inside the app"),
        (ChangeSet(new=(new(".git/hooks/x", ""),)), "not a path inside the app"),
        (ChangeSet(new=(new("", ""),)), "not a path inside the app"),
        (ChangeSet(new=(new("a.py/b.py", ""),)), "a.py is a file, not a folder"),
        (ChangeSet(new=(new("out/b.py", ""),)), "a link leads out of the app"),
        (ChangeSet(new=(new("b.py", ""), new("in/../b.py", ""))), "not a path inside the app"),
        (ChangeSet(new=(new("b.py", ""), new("b.py", ""))), "b.py: two changes of one file"),
        (ChangeSet(new=(new("sub/b.py", ""), new("in/b.py", ""))), "two changes of one file"),
    ],
)
def test_check_refuses(tmp_path: Path, changes: ChangeSet, message: str) -> None:
    app = tmp_path / "app"
    (app / "sub").mkdir(parents=True)
    (app / "a.py").write_text("a = 1\n")
    (app / "out").symlink_to(tmp_path)
    (app / "in").symlink_to(app / "sub")
    before = tree(tmp_path)
    for refuse in (check, write):
        with pytest.raises(TritonMigrateError) as caught:
            refuse(changes, app)
        assert message in str(caught.value)
    assert tree(tmp_path) == before


def test_check_accepts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# coding: latin-1\na = '\xe9'\n")
    changes = ChangeSet(
        new=(new("m/config.pbtxt", CONFIG), new("m/1/model.py", "x = '\\d'\n"), new("m/1/.gitkeep", "")),
        edits=(edit("a.py", "# coding: latin-1\na = 'é'\n", "# coding: latin-1\na = 'è'\n"),),
    )
    check(changes, tmp_path)
    assert tree(tmp_path).keys() == {"a.py"}


# ---------------------------------------------------------------- write


def test_write_without_git(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "a.py").chmod(0o640)
    write(ChangeSet(new=(new("m/config.pbtxt", CONFIG),), edits=(edit("a.py", "a = 1\n", "a = 2\n"),)), tmp_path)
    assert {name: data for name, (data, _) in tree(tmp_path).items()} == {"a.py": b"a = 2\n", "m": b"", "m/config.pbtxt": CONFIG.encode()}
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o640


def test_write_through_a_link_inside_the_app(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("a = 1\n")
    (tmp_path / "link.py").symlink_to("real.py")
    write(ChangeSet(edits=(edit("link.py", "a = 1\n", "a = 2\n"),)), tmp_path)
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == "a = 2\n"


@pytest.mark.parametrize("fails_at", range(1, 5))
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("function", ["replace", "fsync"])
def test_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, failure: BaseException, function: str) -> None:
    """The operating system fails at the n-th file: nothing stays, not even a folder; undoing works."""
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("a = 1\n")
    changes = ChangeSet(
        new=(new("m/1/model.py", "x = 1\n"), new("z/.gitkeep", "")),
        edits=(edit("a.py", "a = 1\n", "a = 2\n"), edit("b.py", "a = 1\n", "a = 2\n")),
    )
    before = {name: (data, (tmp_path / name).stat().st_mtime_ns) for name, data in tree(tmp_path).items()}
    real = getattr(os, function)
    calls = 0

    def failing(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise failure
        real(*arguments)

    monkeypatch.setattr(os, function, failing)
    with pytest.raises((TritonMigrateError, KeyboardInterrupt)) as caught:
        write(changes, tmp_path)
    assert isinstance(caught.value, KeyboardInterrupt) or "nothing was changed" in str(caught.value)
    assert {name: (data, (tmp_path / name).stat().st_mtime_ns) for name, data in tree(tmp_path).items()} == before
    monkeypatch.undo()
    write(changes, tmp_path)
    assert set(tree(tmp_path)) == {"a.py", "b.py", "m", "m/1", "m/1/model.py", "z", "z/.gitkeep"}


def test_unwritable_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(TritonMigrateError, match="Permission denied; nothing was changed"):
        write(ChangeSet(new=(new("a.py", ""),)), tmp_path)
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("below", ["", "app dir"])
def test_uncommitted_changes_are_refused(tmp_path: Path, below: str) -> None:
    repository(tmp_path, {f"{below}/a.py".lstrip("/"): b"a = 1\n", f"{below}/b.py".lstrip("/"): b"b = 1\n"})
    app = tmp_path / below
    (app / "a.py").write_text("a = 2\n")
    (app / "[x].py").write_text("")
    other = ChangeSet(new=(new("c.py", ""),), edits=(edit("b.py", "b = 1\n", "b = 2\n"),))
    write(other, app)
    for path, text in (("a.py", "a = 2\n"), ("[x].py", ""), ("c.py", "")):
        changes = ChangeSet(edits=(edit(path, text, "a = 3\n"),))
        with pytest.raises(TritonMigrateError) as caught:
            write(changes, app)
        assert path in str(caught.value)
        assert "--allow-dirty" in str(caught.value)
        assert read_text(app / path) == text
        write(changes, app, allow_dirty=True)
        assert read_text(app / path) == "a = 3\n"


def test_ignored_files_may_be_written(tmp_path: Path) -> None:
    repository(tmp_path, {".gitignore": b"local.py\n"})
    (tmp_path / "local.py").write_text("a = 1\n")
    write(ChangeSet(edits=(edit("local.py", "a = 1\n", "a = 2\n"),)), tmp_path)
    assert read_text(tmp_path / "local.py") == "a = 2\n"
