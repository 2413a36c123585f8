"""The page in Chromium: nothing that axe calls serious, filters and sorting, and a hostile repository that renders safely and soon."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from test_report import browser, pages, requested, resize, shown

from triton_migrate import api

__all__ = ["browser", "pages"]  # fixtures
pytestmark = pytest.mark.browser
LOADED = 3.0  # seconds of the page's own thread: what else the machine does is not counted
EVIL = '"><script>window.hacked=1</script><img src=x onerror=window.hacked=2>'


def axe(browser: Any) -> list[dict[str, Any]]:
    """What axe-core calls serious or critical. Run through the debugger, as the page's own policy lets no other script in."""
    package = pytest.importorskip("axe_core_python")
    source = files(package).joinpath("axe.min.js").read_text("utf-8")
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
    found = browser.execute_cdp_cmd(
        "Runtime.evaluate",
        {
            "expression": "axe.run({resultTypes: ['violations']}).then((found) => JSON.stringify(found.violations))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    violations = json.loads(found["result"]["value"])
    return [
        {"rule": v["id"], "places": [node["html"][:160] for node in v["nodes"][:3]]}
        for v in violations
        if v["impact"] in ("serious", "critical")
    ]


@pytest.fixture
def scheme(browser: Any) -> Iterator[Any]:
    def choose(name: str) -> None:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})

    yield choose
    choose("light")


@pytest.mark.parametrize(
    ("name", "colours", "width"),
    [("fastapi_images", "light", 1280), ("fastapi_images", "dark", 390), ("support_desk", "dark", 1280), ("support_desk", "light", 390)],
)
def test_axe_finds_nothing_serious(browser: Any, pages: dict[str, str], scheme: Any, name: str, colours: str, width: int) -> None:
    resize(browser, width)
    scheme(colours)
    browser.get("about:blank")
    browser.get(pages[name])
    browser.execute_script("for (const closed of document.querySelectorAll('details')) closed.open = true")
    browser.execute_script("for (const more of document.querySelectorAll('.diff tr:nth-of-type(n+12)')) more.remove()")  # more of the same
    assert axe(browser) == []


def test_pipelines_are_sorted_and_the_order_is_in_the_hash(browser: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    resize(browser, 1280)
    browser.get("about:blank")
    browser.get(pages["support_desk"])
    written = shown(browser)

    def values(name: str) -> list[str]:
        return browser.execute_script(f"return [...document.querySelectorAll('details.pipeline')].map((row) => row.dataset.{name})")

    sort = Select(browser.find_element(By.NAME, "sort"))
    sort.select_by_visible_text("least effort")
    known = [int(points) for points in values("effort") if points]
    assert (known, len(shown(browser))) == (sorted(known), len(written))
    assert browser.current_url.endswith("#sort=effort")
    sort.select_by_visible_text("category")
    assert values("category") == sorted(values("category"))
    Select(browser.find_element(By.NAME, "file")).select_by_index(1)
    assert set(shown(browser)) < set(written)
    link = browser.current_url
    browser.get("about:blank")
    browser.get(link)
    assert browser.find_element(By.NAME, "sort").get_attribute("value") == "category"
    browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert shown(browser) == written
    assert browser.get_log("browser") == []


def test_the_keyboard_reaches_filters_and_pipelines(browser: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    resize(browser, 1280)
    browser.get("about:blank")
    browser.get(pages["support_desk"])
    seen = []
    for _ in range(24):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        seen.append(browser.execute_script("const at = document.activeElement; return at.name || at.className || at.tagName"))
    assert [name for name in seen if name in ("category", "framework", "status", "file", "sort", "text")] == [
        "category", "framework", "status", "file", "sort", "text",
    ]  # fmt: skip
    assert seen[0] == "skip"
    browser.execute_script("document.querySelector('#p2 > summary').focus()")
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert browser.execute_script("return document.getElementById('p2').open")


def test_changes_stand_beside_each_other_and_below_on_a_narrow_screen(browser: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver.common.by import By

    for width, beside in ((1280, True), (390, False)):
        resize(browser, width)
        browser.get("about:blank")
        browser.get(pages["fastapi_images"])
        row = browser.find_element(By.CSS_SELECTOR, ".diff.beside tr.changed")
        old, new = (row.find_element(By.CSS_SELECTOR, f"td.{side}:not([data-n])") for side in ("old", "new"))
        assert (abs(old.location["y"] - new.location["y"]) < 2) is beside
        assert browser.find_elements(By.CSS_SELECTOR, ".diff.beside .hunk a")[0].get_attribute("href").endswith(("#p1", "#p2"))
        hunks = browser.find_elements(By.CSS_SELECTOR, ".diff.beside .hunk")
        assert hunks and all(h.find_element(By.CLASS_NAME, "reason").text and h.find_element(By.CLASS_NAME, "badge").text for h in hunks)


def hostile(root: Path) -> Path:
    """2,000 routes, 20 of them with a model, a file of 5 MB, and markup wherever a name, a string, a path or a comment may hold it."""
    answers = ("str(name)", f"jsonify(label=model.predict([[float(request.form[{EVIL!r}])]]).tolist())")
    routes = "\n\n".join(
        f"@app.post('/r{n}/<name>')\ndef handler_{n}(name):  # {EVIL}\n    return {answers[n % 100 == 0]}" for n in range(2000)
    )
    root.mkdir()
    begin = f"import pickle\nfrom flask import Flask, jsonify, request\n\napp = Flask(__name__)\nmodel = pickle.load(open({EVIL!r}, 'rb'))"
    (root / "app.py").write_text(f"{begin}\n\n\n{routes}\n")
    (root / "big.py").write_text("x = [\n" + "    'x' * 70,  # <b>\n" * 260_000 + "]\n")
    (root / "<img src=x onerror=window.hacked=3>.py").write_text("def broken(:\n")
    odd = "from app import app, model\n\n\n@app.get('/<b>odd')\ndef odd():\n    return str(model.predict([[1]]))\n"
    (root / "odd\u202egnp.py").write_text(odd)
    return root


def test_a_hostile_repository_renders_safely_and_soon(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "<b>").mkdir()
    report = api.scan(hostile(tmp_path / "<b>" / "app"), out=tmp_path / "out", jobs=1)
    assert len(report["endpoints"]) == 2001
    assert (tmp_path / "<b>" / "app" / "big.py").stat().st_size > 5 * 2**20
    page = tmp_path / "out" / "report.html"
    resize(browser, 1280)
    browser.get("about:blank")
    browser.get_log("browser")
    requested(browser)
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    begun = time.perf_counter()
    browser.get(page.as_uri())
    took = time.perf_counter() - begun
    metrics = {one["name"]: one["value"] for one in browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    browser.execute_cdp_cmd("Performance.disable", {})
    worked = metrics["TaskDuration"]
    sys.stderr.write(f"\nthe page of 2,001 routes: {page.stat().st_size / 2**20:.1f} MB, loaded in {took:.2f} s, {worked:.2f} s of work\n")
    assert 0 < worked < LOADED
    assert browser.get_log("browser") == []
    assert requested(browser) <= {"file", "data"}
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.querySelectorAll('img, iframe, [onerror]').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 1280
    assert len(shown(browser)) == 20
    assert "odd[U+202E]gnp.py" in browser.execute_script("return document.documentElement.textContent")
    browser.execute_script("location.hash = '#text=handler_1900&sort=category'")
    browser.execute_async_script("setTimeout(arguments[0], 300)")
    assert shown(browser) == ["POST /r1900/<name>"]
