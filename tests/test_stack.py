"""What stands around the model: workers and brokers come along, and the real server takes each setting.

`stack/<name>/` holds an `app/` and its `make_models.py`, run in the app's folder.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from triton_migrate import api
from triton_migrate.generate.deployment import PANELS
from triton_migrate.report import json as report_json
from triton_migrate.server import Ports, running

HERE = Path(__file__).parent
QUEUES = {
    "celery_class": ("celery -A celery_task_app.worker:app worker --loglevel=info", {"REDIS_URL": "redis://redis:6379/0"}),
    "redis_list": ("python run_model_server.py", {"REDIS_HOST": "redis"}),
}


def ported(app: Path, tmp_path: Path, cut: str = "cheapest") -> Path:
    port = tmp_path / "port"
    shutil.copytree(app, port)
    api.apply(port, write=True, cut=cut)
    return port


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@pytest.mark.parametrize("name", QUEUES)
def test_what_the_application_had_beside_it_comes_along(name: str, tmp_path: Path) -> None:
    worker, settings = QUEUES[name]
    serving = ported(HERE / "queues" / name / "app", tmp_path) / "triton_serving"
    (compose,) = documents(serving / "docker-compose.yml")
    services = compose["services"]
    assert set(services) == {"triton", "app", "worker", "redis"}
    assert services["worker"]["command"] == worker
    assert services["worker"]["environment"] == services["app"]["environment"] == {"TRITON_URL": "http://triton:8000", **settings}
    assert services["worker"]["build"] == services["app"]["build"]
    assert set(services["worker"]["depends_on"]) == {"triton", "redis"}

    found = {d["metadata"]["name"]: d for d in documents(serving / "k8s/app.yaml") if d["kind"] == "Deployment"}
    assert set(found) == {"port-app", "port-worker", "redis"}
    container = found["port-worker"]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["sh", "-c", worker]
    assert {e["name"]: e["value"] for e in container["env"]} == {"TRITON_URL": "http://port-triton:8000", **settings}


@pytest.mark.triton
def test_metrics_of_the_application_are_counted_where_the_code_runs(tmp_path: Path) -> None:
    port = ported(HERE / "stack/metrics/app", tmp_path, "pipeline")
    subprocess.run([sys.executable, str(HERE / "stack/metrics/make_models.py")], cwd=port, check=True)
    (pipeline,) = (port / "triton_serving/model_repository").glob("*/1/pipeline.py")
    assert "from triton_metrics import" in pipeline.read_text() and "prometheus_client" not in pipeline.read_text()
    script = (
        "import json\nfrom fastapi.testclient import TestClient\nfrom main import app\n"
        "client = TestClient(app)\n"
        "said = [client.post('/score', json={'rows': [[1.0, 2.0], [-3.0, -4.0]]}).json() for _ in range(3)]\n"
        "print(json.dumps([said, client.get('/metrics/').text]))\n"
    )

    def asked(url: str) -> tuple[list[Any], str]:
        env = {**os.environ, "TRITON_URL": url}
        done = subprocess.run([sys.executable, "-c", script], cwd=port, env=env, capture_output=True, text=True, check=True)
        said, own = json.loads(done.stdout.splitlines()[-1])
        return said, own

    expected = [{"labels": [1, 0]}] * 3
    said, own = asked("local")
    assert said == expected
    assert counted(own, 'rows_scored_total{label="1"}') == 3 and counted(own, "scaling_seconds_count") == 3
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert asked(triton.url)[0] == expected
        with urllib.request.urlopen(triton.metrics_url) as reply:
            metrics = reply.read().decode()
    assert counted(metrics, "scaling_seconds_count") == 3
    assert counted(metrics, 'scaling_seconds_bucket{le="10.0"}') == 3
    assert counted(metrics, "iris_last_spread") > 0
    report = api.apply(HERE / "stack/metrics/app", out=tmp_path / "out")
    told = {name for metric in report["metrics"] for name in metric["triton"]}
    assert {m["kind"] for m in report["metrics"]} >= {"counter", "gauge", "histogram"}
    assert [name for name in told if f"\n{name}{{" not in metrics] == [], "what is said of Triton's metrics is on its metrics port"
    for panel in PANELS:
        for name in re.findall(r"nv_\w+", panel.query):
            assert f"\n{name}{{" in metrics, f"{panel.title}: this Triton has no {name}"


def counted(text: str, series: str) -> float:
    """The value of a series; 0 where it is not there."""
    found = re.search(rf"^{re.escape(series)}(?:\{{\}})? ([0-9.e+-]+)$", text, re.M)
    return float(found[1]) if found else 0.0


@pytest.mark.triton
def test_what_the_application_keeps_the_server_keeps_for_all_workers(tmp_path: Path) -> None:
    port = ported(HERE / "stack/cache/app", tmp_path)
    subprocess.run([sys.executable, str(HERE / "stack/cache/make_models.py")], cwd=port, check=True)
    (config,) = (port / "triton_serving/model_repository").glob("*/config.pbtxt")
    assert "response_cache { enable: true }" in config.read_text()
    assert '"--cache-config=local,size=104857600"' in (port / "triton_serving/Dockerfile").read_text()
    assert "@lru_cache(maxsize=256)\ndef predict" in (port / "app.py").read_text(), "a worker need not ask twice"
    script = (
        "import json\nfrom app import app\nclient = app.test_client()\n"
        "print(json.dumps([client.post('/predict', json={'row': [1.0, 2.0]}).get_json() for _ in range(2)]))\n"
    )
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        env = {**os.environ, "TRITON_URL": triton.url}
        workers = [
            subprocess.run([sys.executable, "-c", script], cwd=port, env=env, capture_output=True, text=True, check=True) for _ in range(2)
        ]
        (statistics,) = triton.statistics()
        with urllib.request.urlopen(triton.metrics_url) as reply:
            metrics = reply.read().decode()
    replies = [json.loads(worker.stdout) for worker in workers]
    assert replies[0] == replies[1] and replies[0][0] == replies[0][1] and replies[0][0]["name"] == "above"
    assert statistics.request_success == 2, "one request of each worker"
    assert statistics.execution_count == 1, "the second was answered from the cache"
    assert re.search(r"^nv_cache_num_hits_per_model\{[^}]*\} 1$", metrics, re.M)


CACHES = [  # file, kind, model that Triton answers for from its cache, too
    ("app.py", "lru_cache", "a"), ("app.py", "cachetools", "b"), ("app.py", "flask-caching", "c"), ("app.py", "flask-caching", "d"),
    ("app.py", "own", "e"), ("app.py", "own", "f"), ("app.py", "lru_cache", "g"), ("app.py", "own", "h"),
    ("aside.py", "lru_cache", ""), ("aside.py", "fastapi-cache", "i"),
]  # fmt: skip
CACHING = """
import json
from app import app
said, client = [], app.test_client()
for _ in range(2):
    said += [client.post(path, json={"row": [1.0, 2.0]}).get_json() for path in ("/lru", "/ttl", "/memo", "/redis", "/dict", "/kept")]
    said.append(client.get("/view?row=1.0,2.0").get_json())
"""
BESIDE = """
from aside import app as aside
from fastapi.testclient import TestClient
with TestClient(aside) as web:
    said += [web.get("/score?a=1&b=2").json() for _ in range(2)]
"""


def test_each_kind_of_cache_is_kept_and_mapped(tmp_path: Path) -> None:
    report = api.apply(HERE / "stack/caches/app", out=tmp_path)
    report_json.validate(report)
    assert report["not_ported"] == []
    found = [(c["file"], c["kind"], m[1] if (m := re.search(r"\(model (\w)\)", c["why"])) else "") for c in report["caches"]]
    assert sorted(found) == sorted(CACHES)
    assert [c["why"] for c in report["caches"] if c["fate"] == "kept"] == ["it keeps the model, not results"]


@pytest.mark.triton
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_each_kind_of_cache_has_hits_in_triton(tmp_path: Path) -> None:
    for library in ("cachetools", "flask_caching"):
        pytest.importorskip(library)
    whole = importlib.util.find_spec("fastapi_cache") is not None
    port = ported(HERE / "stack/caches/app", tmp_path)
    subprocess.run([sys.executable, str(HERE / "stack/caches/make_models.py")], cwd=port, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    redis = subprocess.Popen(["redis-server", "--port", str(number), "--save", ""], stdout=subprocess.DEVNULL)
    try:
        with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
            replies = []
            for worker in range(2):  # each with a Redis database of its own
                env = {**os.environ, "TRITON_URL": triton.url, "REDIS_URL": f"redis://127.0.0.1:{number}/{worker}"}
                script = [sys.executable, "-c", CACHING + BESIDE * whole + "print(json.dumps(said))\n"]
                done = subprocess.run(script, cwd=port, env=env, capture_output=True, text=True, check=True)
                replies.append(json.loads(done.stdout.splitlines()[-1]))
            counts = {s.name: (s.request_success, s.execution_count) for s in triton.statistics()}
            with urllib.request.urlopen(triton.metrics_url) as reply:
                metrics = reply.read().decode()
    finally:
        redis.terminate()
        redis.wait(10)
    assert replies[0] == replies[1] and replies[0][:7] == replies[0][7:14]
    assert not whole or replies[0][14] == replies[0][15]
    hits = {m[1]: int(m[2]) for m in re.finditer(r'^nv_cache_num_hits_per_model\{model="(\w)"[^}]*\} (\d+)', metrics, re.M)}
    for model in "abcdefh" + "i" * whole:
        assert counts[model] == (2, 1) and hits[model] == 1, f"{model}: each worker asked once, and the second got what the first had"


@pytest.mark.parametrize(
    ("body", "told"),
    [("time.sleep(0)\n    stamp = time.time()", "a clock is read"), ("x += np.random.normal(size=x.shape)", "a number is drawn")],
)
def test_what_differs_each_time_is_not_kept(body: str, told: str, tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(HERE / "stack/cache/app", app)
    text = (app / "app.py").read_text().replace("import joblib\n", "import time\n\nimport joblib\n", 1)
    moved = f"x = np.array([row], dtype=np.float64)\n    {body}\n    features = scaler.transform(x)"
    text = text.replace("features = scaler.transform(np.array([row], dtype=np.float64))", moved)
    (app / "app.py").write_text(text)
    report = api.apply(app, out=tmp_path / "out", cut="pipeline")
    patch = (tmp_path / "out/migration.patch").read_text()
    assert report["not_ported"] == []
    assert moved.splitlines()[1].strip() in "\n".join(line for line in patch.splitlines() if line.startswith("+")), told
    assert "response_cache" not in patch and "cache-config" not in patch


@pytest.mark.triton
def test_a_model_that_runs_requests_one_by_one_is_there_as_often_as_before(tmp_path: Path) -> None:
    port = ported(HERE / "stack/workers/app", tmp_path, "pipeline")
    subprocess.run([sys.executable, str(HERE / "stack/workers/make_models.py")], cwd=port, check=True)
    (config,) = (port / "triton_serving/model_repository").glob("*/config.pbtxt")
    assert "(Procfile:1)" in config.read_text() and "instance_group [ { count: 3 kind: KIND_CPU } ]" in config.read_text()
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        with urllib.request.urlopen(f"{triton.url}/v2/models/{config.parent.name}/config") as reply:
            (group,) = json.load(reply)["instance_group"]
        assert (group["count"], group["kind"]) == (3, "KIND_CPU")
        stubs = [p for p in psutil.process_iter(["cmdline"]) if _is_stub(p, config.parent.name)]
        assert len(stubs) == 3, "each instance is a process with its own copy"


@pytest.mark.triton
def test_a_route_that_waits_for_a_task_runs_it_without_the_queue(tmp_path: Path) -> None:
    port, app = tmp_path / "port", HERE / "stack/waiting/app"
    shutil.copytree(app, port)
    report = api.apply(port, write=True, cut="pipeline", sync_queue=True)
    assert report["not_ported"] == []
    server, was = (port / "server.py").read_text(), (app / "server.py").read_text()
    assert 'triton.urgent(2, grade.apply)(args=[request.get_json()["row"]], kwargs={"top": True}, priority=3)' in server
    assert 'triton.urgent(1, grade.apply)((request.get_json()["row"],), {"top": False}).get(timeout=30)' in server
    assert "later.delay(" in server and ".delay(" in was, "a client that polls still needs the queue"
    config = (port / "triton_serving/model_repository/grade/config.pbtxt").read_text()
    assert "priority_levels: 2 default_priority_level: 1 default_queue_policy { default_timeout_microseconds: 20000000" in config
    assert "level 1 is 0, 2 is 3 of the application" in config, "on Redis the least number comes first"
    assert "queue_policy" not in (port / "triton_serving/model_repository/later/config.pbtxt").read_text()
    assert "`grade` (server.py:13), `grade` (server.py:20)" in (port / "triton_serving/README.md").read_text()

    subprocess.run([sys.executable, str(HERE / "stack/waiting/make_models.py")], cwd=port, check=True)
    script = (
        "import json\nfrom concurrent.futures import ThreadPoolExecutor\nfrom server import app\n"
        "def ask(path, seconds=2.0):\n"  # so long that a busy machine starts the others meanwhile
        "    reply = app.test_client().post(path, json={'row': [1.0, seconds]})\n"
        "    return [reply.status_code, reply.get_json()]\n"
        "import os, re, threading, urllib.request\n"
        "def waiting():\n"
        "    text = urllib.request.urlopen(os.environ['METRICS']).read().decode()\n"
        "    return int(re.search(r'nv_inference_pending_request_count{model=\"grade\"[^}]*} (\\d+)', text)[1])\n"
        "done, threads = [], []\n"
        "def start(path, others):\n"
        "    threads.append(threading.Thread(target=lambda: (ask(path), done.append(path))))\n"
        "    threads[-1].start()\n"
        "    while waiting() < others and not done: pass\n"
        "said = [ask('/grade', 0.0), ask('/quick', 0.0), list(ThreadPoolExecutor(8).map(ask, ['/grade'] * 8))]\n"
        "for number, path in enumerate(['/grade', '/grade', '/quick']): start(path, number)\n"
        "for thread in threads: thread.join()\n"
        "print(json.dumps([*said, done]))\n"
    )
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        env = {**os.environ, "TRITON_URL": triton.url, "BROKER_URL": "redis://127.0.0.1:1/0", "METRICS": triton.metrics_url}
        done = subprocess.run([sys.executable, "-c", script], cwd=port, env=env, capture_output=True, text=True, check=True)
    alone, quick, together, ended = json.loads(done.stdout)
    assert (alone, quick) == ([200, {"label": True, "top": True}], [200, {"label": True, "top": False}])
    statuses = [status for status, _ in together]
    assert 3 <= statuses.count(200) < 8 and set(statuses) == {200, 503}, "one is at work, two may wait; the others are refused at once"
    assert ended == ["/grade", "/quick", "/grade"], "who came last and is more urgent does not wait for the others"


HEAD = "from flask import Flask, jsonify, request\napp = Flask(__name__)\n"
ROUTE = '\n\n@app.post("/{0}")\ndef on_{0}():\n    data = request.get_json()\n{1}    return jsonify(result=out)\n'
TORCH = (
    "    x = torch.tensor(data['x']).float().unsqueeze(0).to({0})\n    with torch.no_grad():\n        out = model(x).softmax(1).tolist()\n"
)
ONNX = "    x = np.array([data['x']], dtype=np.float32) / 255.0\n    out = session.run(None, {'x': x})[0].argmax(1).tolist()\n"
TEXT = (
    "    enc = tok(data['text'], return_tensors='pt')\n    enc = {k: v.to('cuda:1') for k, v in enc.items()}\n"
    "    with torch.no_grad():\n        out = model(**enc).logits.argmax(-1).tolist()\n"
)
HF = "from transformers import AutoModelForSequenceClassification as Classifier, AutoTokenizer\ntok = AutoTokenizer.from_pretrained('m')\n"
TWO = "    with torch.no_grad():\n        x = a(x.to('cuda:0')).relu().to('cuda:1')\n        out = model(x).tolist()\n"
PLACED = {  # load, route; instance group; what pipeline.py says
    "name": ("import torch\nmodel = torch.jit.load('m.pt').to('cuda')\n", TORCH.format("'cuda'"), "gpus: [0] kind: KIND_GPU",
             ".to(INSTANCE_DEVICE or 'cuda')"),
    "method": ("import torch\nmodel = torch.jit.load('m.pt').cuda()\n", TORCH.format("'cuda:0'"), "gpus: [0] kind: KIND_GPU",
               '.to(INSTANCE_DEVICE or "cuda:0")'),
    "number": ("from transformers import pipeline\npipe = pipeline('text-classification', model='m', device=1)\n",
               "    out = pipe(data['text'].strip())[0]['label']\n", "gpus: [1] kind: KIND_GPU", "device=INSTANCE_DEVICE or 1"),
    "map": ("import torch\n" + HF + "model = Classifier.from_pretrained('m', device_map='auto')\n",
            TEXT.replace("'cuda:1'", "model.device"), "count: 1 kind: KIND_MODEL", "device_map='auto'"),
    "items": ("import torch\n" + HF + "DEVICE = torch.device('cuda', 1)\nmodel = Classifier.from_pretrained('m').to(DEVICE)\n",
              TEXT, "gpus: [1] kind: KIND_GPU", "v.to(INSTANCE_DEVICE or 'cuda:1')"),
    "two": ("import torch\na = torch.jit.load('a.pt').to('cuda:0')\nmodel = torch.jit.load('b.pt').to('cuda:1')\n",
            "    x = torch.tensor(data['x']).float().unsqueeze(0)\n" + TWO, "count: 1 kind: KIND_MODEL",
            ".relu().to(INSTANCE_DEVICE or 'cuda:1')"),
    "block": ("import numpy as np\nimport tensorflow as tf\nwith tf.device('/GPU:1'):\n    model = tf.keras.models.load_model('m.keras')\n",
              "    out = int(model.predict(np.array([data['x']], dtype='float32') / 255.0).argmax())\n", "gpus: [1] kind: KIND_GPU",
              "with tf.device(INSTANCE_DEVICE.replace(\"cuda\", \"GPU\") or '/GPU:1'):"),
    "providers": ("import numpy as np\nimport onnxruntime as ort\nsession = ort.InferenceSession('m.onnx', "
                  "providers=[('CUDAExecutionProvider', {'device_id': 1}), 'CPUExecutionProvider'])\n", ONNX, "gpus: [1] kind: KIND_GPU",
                  "{'device_id': 1}"),
    "available": ("import torch\ndevice = torch.device('cuda:1' if torch.cuda.is_available() else 'cpu')\n"
                  "model = torch.jit.load('m.pt', map_location=device)\n", TORCH.format("device"), "count: 1 kind: KIND_CPU",
                  "'cuda:1' if torch.cuda.is_available() else 'cpu'"),
    "setting": ("import os\nimport torch\nDEVICE = os.getenv('DEVICE', 'cuda:0')\nmodel = torch.jit.load('m.pt', map_location=DEVICE)\n",
                TORCH.format("DEVICE"), "count: 1 kind: KIND_CPU", "os.getenv('DEVICE', 'cuda:0')"),
}  # fmt: skip


def test_what_the_code_says_of_a_gpu_the_configuration_says(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for name, (load, route, _, _) in PLACED.items():
        (app / f"{name}.py").write_text(HEAD + load + ROUTE.format(name, route))
    serving = ported(app, tmp_path) / "triton_serving"
    pipelines = {path: path.read_text() for path in (serving / "model_repository").glob("*/1/pipeline.py")}
    for name, (_, _, group, said) in PLACED.items():
        ((path, text),) = ((path, text) for path, text in pipelines.items() if f"{name}.py" in text.split('"""')[1])
        assert group in (path.parents[1] / "config.pbtxt").read_text() and said in text, f"{name}: {text}"
        assert (path.parents[1] / "configs/cpu.pbtxt").is_file() is ("KIND_CPU" not in group), name
    readme = (serving / "README.md").read_text()
    assert "GPU 1, each instance on its own one" in readme and "GPUs 0, 1, all of them for one instance" in readme
    assert "limits: { nvidia.com/gpu: 2 }" in (serving / "k8s/triton.yaml").read_text()


def test_triton_sees_the_gpus_that_the_application_sees(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    load = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '2,3'\nimport torch\nmodel = torch.jit.load('m.pt').to('cuda')\n"
    (app / "app.py").write_text(HEAD + load + ROUTE.format("p", TORCH.format("'cuda'")))
    serving = ported(app, tmp_path) / "triton_serving"
    assert "(app.py:4)\nENV CUDA_VISIBLE_DEVICES=2,3\n" in (serving / "Dockerfile").read_text()
    (triton, _) = documents(serving / "k8s/triton.yaml")
    assert triton["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": 4}
    (compose,) = documents(serving / "docker-compose.yml")
    assert compose["services"]["triton"]["deploy"]["resources"]["reservations"]["devices"][0]["count"] == 4


@pytest.mark.triton
def test_a_model_of_a_gpu_is_served_on_a_machine_without_one(tmp_path: Path) -> None:
    port = tmp_path / "port"
    shutil.copytree(HERE / "stack/placement/app", port)
    api.apply(port, write=True)
    script_of_network = (port / "triton_serving/export_grades.py").read_text()
    assert "    gpus=[1],\n" in script_of_network, "what is exported goes there, too"
    (port / "triton_serving/export_grades.py").unlink()  # the original in its pipeline is what is asked here
    subprocess.run([sys.executable, str(HERE / "stack/placement/make_models.py")], cwd=port, check=True)
    script = (
        "import json\nfrom fastapi.testclient import TestClient\nfrom main import app\n"
        "print(json.dumps(TestClient(app).post('/grade', json={'values': [1, 2, 3, 4]}).json()))\n"
    )
    with running(port, python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        env = {**os.environ, "TRITON_URL": triton.url}
        done = subprocess.run([sys.executable, "-c", script], cwd=port, env=env, capture_output=True, text=True, check=True)
        with urllib.request.urlopen(f"{triton.url}/v2/models/grade/config") as reply:
            (group,) = json.load(reply)["instance_group"]
    reply = json.loads(done.stdout)
    assert reply["grade"] in ("low", "mid", "high") and 0.3 < reply["score"] < 1
    assert (group["kind"], group["gpus"]) == ("KIND_CPU", [])


def _is_stub(process: psutil.Process, model: str) -> bool:
    command = process.info["cmdline"] or []
    return bool(command) and "stub" in command[0] and any(re.search(rf"/{model}/\d+/model\.py$", part) for part in command)


ASKED = [  # method, path, JSON; what is done to the files before it
    ("POST", "/risk/v1", True, ""), ("POST", "/risk/v2", True, ""), ("POST", "/risk/v3", True, ""), ("POST", "/risk/v4", True, ""),
    ("POST", "/risk", True, ""), ("POST", "/versions/v2/activate", False, ""), ("POST", "/risk", True, ""),
    ("POST", "/versions/v9/activate", False, ""), ("POST", "/risk?canary=1", True, ""), ("GET", "/versions", False, ""),
    ("POST", "/quality", True, ""), ("POST", "/quality", True, "replace"), ("POST", "/quality/reload", False, ""),
    ("POST", "/quality", True, ""), ("POST", "/quality/reload", False, "remove"), ("POST", "/quality", True, ""),
]  # fmt: skip
ASKING = """
import json, os, sys
from app import app
client, said = app.test_client(), []
for method, path, row, then in json.loads(sys.argv[1]):
    if then == "replace":
        os.replace("risk_v2.joblib", "quality.joblib")
    elif then == "remove":
        os.remove("quality.joblib")
    reply = client.open(path, method=method, json={"row": [1.5, 0.5]} if row else None)
    said.append([path, reply.status_code, reply.get_json()])
print(json.dumps(said))
"""


@pytest.mark.triton
def test_models_to_choose_from_are_versions_and_a_new_file_counts_without_a_restart(tmp_path: Path) -> None:
    source = HERE / "stack/versions"
    port = ported(source / "app", tmp_path)
    app = (port / "app.py").read_text()
    assert 'MODELS = {"v1": 1, "v2": 2, "v3": 3}\nactive = "v1"' in app and app.count("version=") - app.count("version=version") == 2
    assert 'triton.load_anew("check", errors=(OSError,))' in app and "joblib" not in app
    repository = port / "triton_serving/model_repository"
    assert sorted(p.name for p in (repository / "risk").iterdir()) == ["1", "2", "3", "config.pbtxt"]
    assert "1 is 'v1', 2 is 'v2', 3 is 'v3'" in (repository / "risk/config.pbtxt").read_text()
    assert '"--model-control-mode=explicit", "--load-model=*"' in (port / "triton_serving/Dockerfile").read_text()

    def asked(app: Path, url: str, asking: list[tuple[str, str, bool, str]]) -> Any:
        env = {**os.environ, "TRITON_URL": url}
        script = [sys.executable, "-c", ASKING, json.dumps(asking)]
        done = subprocess.run(script, cwd=app, env=env, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def fresh(app: Path) -> Path:
        subprocess.run([sys.executable, str(source / "make_models.py")], cwd=app, check=True)
        return app

    original = fresh(Path(shutil.copytree(source / "app", tmp_path / "original")))
    expected = asked(original, "", ASKED)
    assert [status for _, status, _ in expected] == [200, 200, 200, 404, 200, 200, 200, 404, *[200] * 6, 503, 200]
    assert expected[10][2] != expected[13][2], "the file that replaced it answers otherwise"
    assert expected[11][2] == expected[10][2] and expected[15][2] == expected[13][2]
    assert asked(fresh(port), "local", ASKED) == expected
    with running(fresh(port), python=Path(sys.executable), ports=Ports.free(), say=lambda line: None) as triton:
        assert asked(port, triton.url, ASKED[:11]) == expected[:11]
        answered = {(s.name, s.version): s.request_success for s in triton.statistics()}
        assert answered == {("risk", "1"): 2, ("risk", "2"): 2, ("risk", "3"): 2, ("check", "1"): 1}
        assert asked(port, f"grpc://{triton.grpc_url}", ASKED[:2] + ASKED[11:]) == expected[:2] + expected[11:]
        again = asked(fresh(port), triton.url, [ASKED[12], ASKED[10]])
        assert again == [expected[12], expected[10]] != [expected[12], expected[13]], "the old file, loaded over HTTP"
        assert alive(port, triton.url) == (0, ""), "each process answers, and so does one that refuses the sample"
        for process in psutil.process_iter(["cmdline", "ppid"]):
            if process.info["ppid"] == triton.process.pid and _is_stub(process, "check"):
                process.kill()
        assert alive(port, triton.url) == (1, "no process answers for check\n")
        with urllib.request.urlopen(f"{triton.url}/v2/health/live") as reply:
            assert reply.status == 200, "Triton says nothing of it"


WATCHED = """
import os
import threading
import time

import joblib
import numpy as np
from flask import Flask, jsonify, request


class Holder:
    def __init__(self):
        self.model = joblib.load("model.joblib")
        self.stamp = os.stat("model.joblib").st_mtime

    def watch(self):
        while True:
            time.sleep(5)
            stamp = os.stat("model.joblib").st_mtime
            if stamp != self.stamp:
                self.model = joblib.load("model.joblib")
                self.stamp = stamp


app = Flask(__name__)
holder = Holder()
threading.Thread(target=holder.watch, daemon=True).start()


@app.post("/score")
def score():
    x = np.array([request.get_json()["row"]], dtype=np.float64)
    return jsonify(p=float({model}.predict_proba(x)[0, 1]))
"""
LOOKED_AT = """

def current():
    global held, stamp
    if os.path.getmtime("model.joblib") > stamp:
        held = joblib.load("model.joblib")
        stamp = os.path.getmtime("model.joblib")
    return held


held = joblib.load("model.joblib")
stamp = os.path.getmtime("model.joblib")
"""


def test_a_thread_that_watches_the_file_lets_triton_load_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(WATCHED.replace("{model}", "holder.model"))
    report = api.apply(tmp_path, write=True)
    app = (tmp_path / "app.py").read_text()
    assert report["not_ported"] == [] and "joblib" not in app.replace("model.joblib", "")
    assert 'if stamp != self.stamp:\n                triton.load_anew("score")\n                self.stamp = stamp' in app
    assert "--model-control-mode=explicit" in (tmp_path / "triton_serving/Dockerfile").read_text()


def test_a_route_that_looks_after_its_file_stays_and_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(WATCHED.partition("class Holder")[0] + LOOKED_AT + WATCHED.partition("@app.post")[0].split("\n")[-1])
    text = (tmp_path / "app.py").read_text() + "\n\napp = Flask(__name__)\n\n\n@app.post" + WATCHED.partition("@app.post")[2]
    (tmp_path / "app.py").write_text(text.replace("{model}", "current()"))
    report = api.apply(tmp_path, out=tmp_path / "out")
    (refused,) = report["not_ported"]
    assert "changes held" in refused["reason"] or "changes stamp" in refused["reason"]
    assert report["changes"] == []


def test_what_moved_code_imports_by_name_is_required(tmp_path: Path) -> None:
    text = (HERE / "stack/cache/app/app.py").read_text()
    framed = 'def framed(row):\n    return importlib.import_module("pandas").DataFrame([row]).to_numpy()\n\n\n@lru_cache'
    text = text.replace("np.array([row], dtype=np.float64)", "framed(row)").replace("@lru_cache", framed, 1)
    (tmp_path / "app.py").write_text(text.replace("import joblib\n", "import importlib\n\nimport joblib\n", 1))
    api.apply(tmp_path, write=True, cut="pipeline")
    assert "pandas" in (tmp_path / "triton_serving/requirements.txt").read_text().split()


def alive(port: Path, url: str) -> tuple[int, str]:
    """What the liveness probe says."""
    probe = [sys.executable, str(port / "triton_serving/alive.py")]
    done = subprocess.run(probe, env={**os.environ, "TRITON_PROBED": url}, capture_output=True, text=True)
    return done.returncode, done.stderr


ACTOR = """
import dramatiq
import joblib
import numpy as np
from dramatiq.results import ResultTimeout, Results
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.joblib")


@dramatiq.actor(store_results=True, time_limit=20_000)
def score(row):
    x = np.array([row], dtype=np.float64)
    return {"score": float(model.predict_proba(x)[0, 1])}


@app.post("/score")
def now():
    message = score.send(request.get_json()["row"])
    try:
        return jsonify(message.get_result(block=True, timeout=10_000))
    except ResultTimeout:
        return jsonify(error="late"), 504


@app.post("/strict")
def strict():
    try:
        return jsonify(score.send(request.get_json()["row"]).get_result(block=True))
    except ValueError:
        return jsonify(error="bad"), 400


@app.post("/later")
def later():
    return jsonify(id=score.send(request.get_json()["row"]).message_id), 202
"""


def test_an_actor_is_run_where_its_result_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ACTOR)
    report = api.apply(tmp_path, write=True, sync_queue=True)
    app = (tmp_path / "app.py").read_text()
    assert report["not_ported"] == []
    assert 'message = score.fn(request.get_json()["row"])' in app and "return jsonify(message)\n    except ResultTimeout:" in app
    assert 'score.send(request.get_json()["row"]).get_result(block=True)' in app, "a handler there tells what the queue made of an error"
    assert "message_id" in app
    (config,) = (tmp_path / "triton_serving/model_repository").glob("*/config.pbtxt")
    assert "default_timeout_microseconds: 20000000" in config.read_text(), "its times are milliseconds"
