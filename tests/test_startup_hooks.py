"""What a start-up hook does to make models: each global by itself, with what it imports on the way and what it fetches before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from triton_migrate import api

PARTS = Path(__file__).parent / "ports/fastapi_lifespan_parts"
ASKED = """\
import sys
sys.path.insert(0, "triton_serving/model_repository/named/1")
import pipeline
pipeline.load()
print(pipeline.labels.encoder.classes_.tolist(), type(pipeline.scaler).__name__, type(pipeline.model).__name__)
"""


def test_the_model_fetches_for_itself_what_the_application_fetches(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(PARTS / "app", app)
    assert api.apply(app, write=True)["not_ported"] == []
    subprocess.run([sys.executable, PARTS / "make_models.py"], cwd=app, check=True)
    assert not (app / "fetched.joblib").exists()
    found = subprocess.run([sys.executable, "-c", ASKED], cwd=app, check=True, capture_output=True, text=True).stdout
    assert found == "['setosa_a', 'versicolor_b', 'virginica_c'] StandardScaler LogisticRegression\n"


def test_modules_that_a_hook_imports_are_copied(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(PARTS / "app", app)
    api.apply(app, write=True)
    text = (app / "triton_serving/model_repository/named/1/pipeline.py").read_text()
    assert "from naming import" not in text and "from fetching import" not in text
    assert "        Names = Labels\n" in text


def test_a_choice_between_modules_stays(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(PARTS / "app", app)
    main = app / "main.py"
    main.write_text(
        main.read_text().replace('except Exception as e:\n        logger.error(f"no labels: {e}")', "except ImportError:\n        pass")
    )
    report = api.apply(app, write=True)
    reasons = {(e["line"], e["reason"]) for e in report["not_ported"]}
    assert reasons == {(33, "an import of naming inside a function")}


IDLE = Path(__file__).parent / "ports/flask_idle_unload"
COUNTED = """\
import sys, threading
sys.path.insert(0, "triton_serving/model_repository/model/1")
import pipeline
pipeline.load()
print([t.name for t in threading.enumerate()], pipeline.engine.model is not None)
"""


def test_a_thread_that_only_unloads_stays_behind(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(IDLE / "app", app)
    report = api.apply(app, write=True)
    assert report["not_ported"] == [] and "Triton keeps it loaded" in (app / "triton_serving/README.md").read_text()
    subprocess.run([sys.executable, IDLE / "make_models.py"], cwd=app, check=True)
    found = subprocess.run([sys.executable, "-c", COUNTED], cwd=app, check=True, capture_output=True, text=True).stdout
    assert found == "['MainThread'] True\n"


def test_a_thread_that_loads_anew_is_not_taken_for_one_that_unloads(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(IDLE / "app", app)
    engine = app / "engine.py"
    engine.write_text(engine.read_text().replace("        self.model = None\n", '        self.model = joblib.load("model.joblib")\n'))
    api.apply(app, write=True)
    assert not list(app.glob("triton_serving/**/pipeline.py")) or "Thread(" in next(app.glob("triton_serving/**/pipeline.py")).read_text()
