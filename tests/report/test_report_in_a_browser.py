"""A report in a browser: slices move, nothing fails or is requested, and names stay text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import nibabel as nib
import numpy as np
import pytest
from kit.browser import Browser, open_browser
from kit.desk import make_head
from kit.tool import oasis_gan

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, paint_plugin: Path) -> Path:
    """Return the output folder of two subjects with reports; the second has markup as its name."""
    folder = tmp_path_factory.mktemp("reports")
    heads = folder / "heads"
    heads.mkdir()
    for seed, name in enumerate(("sub-01", HOSTILE)):
        labels, scan = make_head(seed)
        nib.save(nib.Nifti1Image(labels, np.eye(4)), heads / f"{name}_seg.nii.gz")
        nib.save(nib.Nifti1Image(scan, np.eye(4)), heads / f"{name}_t1.nii.gz")
    endings = ("--source-suffix", "_seg.nii.gz")
    model = ("--plugin", paint_plugin, "--model", "paint")
    made = oasis_gan("run", "heads", *endings, *model, "--out", "out", cwd=folder)
    assert made.returncode == 0, made.stderr
    scans = ("--against", "heads", *endings, "--target-suffix", "_t1.nii.gz")
    done = oasis_gan("report", "out", *scans, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


PAGE = "sub-01_synthT1w.html"


def test_a_page_draws_the_volumes_without_an_error_or_a_request(
    reports: Path, browser: Browser
) -> None:
    browser.open(reports / PAGE)
    assert browser.run("return window.viewer.volumes.length") == 4
    pixels = (
        "viewer.drawScene(); "
        "const gl = viewer.gl; "
        "const [width, height] = [gl.drawingBufferWidth, gl.drawingBufferHeight]; "
        "const data = new Uint8Array(4 * width * height); "
        "gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, data); "
        "return new Set(data).size"
    )
    assert browser.run(pixels) > 50
    assert browser.complaints() == []
    assert browser.requests() == [(reports / PAGE).as_uri()]


@pytest.mark.parametrize(("key", "axis"), [("ARROW_LEFT", 0), ("ARROW_UP", 1), ("PAGE_UP", 2)])
def test_keys_move_through_slices(reports: Path, browser: Browser, key: str, axis: int) -> None:
    browser.open(reports / PAGE)
    where = "return [...viewer.frac2vox(viewer.scene.crosshairPos)]"
    before = browser.run(where)
    browser.press(key, "#viewer canvas")
    after = browser.run(where)
    moved = [index for index in range(3) if before[index] != after[index]]
    assert moved == [axis]
    assert browser.complaints() == []


def test_a_button_a_key_and_a_slider_change_what_is_shown(reports: Path, browser: Browser) -> None:
    browser.open(reports / PAGE)
    opacities = "return viewer.volumes.map((volume) => volume.opacity)"
    assert browser.run(opacities) == [1, 0, 0, 0]
    browser.run("document.querySelector('[data-show=real]').click()")
    assert browser.run(opacities) == [1, 1, 0, 0]
    browser.press("3", "#viewer canvas")
    assert browser.run(opacities) == [0, 0, 1, 0]
    slide = "const slider = document.querySelector('[data-opacity=labels]'); slider.value = 40; "
    browser.run(slide + "slider.dispatchEvent(new Event('input'))")
    assert browser.run(opacities) == [0, 0, 1, 0.4]
    assert browser.complaints() == []


def test_a_rating_is_saved_as_json(reports: Path, browser: Browser) -> None:
    browser.open(reports / PAGE)
    catch = (
        "window.saved = []; "
        "URL.createObjectURL = (blob) => { "
        "blob.text().then((text) => saved.push(text)); return '#'; };"
    )
    tick = "document.querySelector('[value={}]').checked = true;"
    fill = tick.format("poor") + tick.format("blurred")
    browser.run(f"{catch} {fill} document.getElementById('rating').requestSubmit()")
    saved = browser.run(
        "return new Promise((done) => setTimeout(() => done(JSON.parse(saved[0])), 200))"
    )
    assert saved["subject"] == "sub-01"
    assert saved["rating"] == "poor"
    assert saved["artifacts"] == ["blurred"]
    assert len(saved["sha256"]) == 64


def test_a_name_that_is_markup_stays_text(reports: Path, browser: Browser) -> None:
    (page,) = reports.glob("*onerror*.html")
    browser.open(page)
    assert browser.run("return document.querySelector('h1').textContent") == HOSTILE
    assert browser.run("return document.querySelectorAll('img[src=x]').length") == 0
    assert browser.complaints() == []


def test_the_index_leads_to_the_pages(reports: Path, browser: Browser) -> None:
    browser.open(reports / "index.html")
    links = browser.run(
        "return [...document.querySelectorAll('td a')].map((a) => [a.textContent, a.href])"
    )
    assert {text for text, _ in links} == {"sub-01", HOSTILE}
    pages = {page.as_uri() for page in reports.glob("*_synthT1w.html")}
    assert {unquote(href) for _, href in links} == {unquote(page) for page in pages}
    assert browser.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_phone_in_both_themes(reports: Path, browser: Browser, scheme: str) -> None:
    browser.open(reports / PAGE, width=390, scheme=scheme)
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    colour = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (int(colour[4:].split(",")[0]) < 128) == (scheme == "dark")
