"""The files that describe the project agree with each other."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from aumos_governance._version import __version__

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"[\w.@/:-]*\.invalid/?[\w./-]*")
MAY_HOLD_PLACEHOLDERS = {
    ".github/ISSUE_TEMPLATE/config.yml",
    "RELEASE.md",
    "labextension/package.json",
    "pyproject.toml",
}
HABITS = {"CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "RELEASE.md"}


def committed(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a clone")
    return listed.stdout.split()


def links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith(("http", "#"))]


@pytest.mark.parametrize("name", sorted(HABITS | {"README.md", "CHANGELOG.md"}))
def test_what_a_page_links_to_is_there(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for link in links(text):
        path, _, heading = link.partition("#")
        assert (ROOT / path).exists(), link
        if heading:
            headings = re.findall(r"(?m)^#+ (.*)$", (ROOT / path).read_text("utf-8"))
            assert heading in {title.lower().replace(" ", "-") for title in headings}, link


def test_placeholders_stand_only_where_they_are_explained() -> None:
    tables = (ROOT / "RELEASE.md").read_text("utf-8")
    explained = set(re.findall(r"`([^`]*\.invalid[^`]*)`", tables))
    for name in committed("*.md", "*.toml", "*.json", "*.yml", "*.yaml", ".github"):
        if name.startswith(("tests/", "ui-tests/")) or name == "labextension/package-lock.json":
            continue
        for found in PLACEHOLDER.findall((ROOT / name).read_text("utf-8")):
            if ".invalid" not in found or not found.startswith(("http", "security", "conduct")):
                continue
            assert name in MAY_HOLD_PLACEHOLDERS, (name, found)
            assert any(found.startswith(known) for known in explained), (name, found)


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert first is not None
    assert first[1] in (__version__, "Unreleased")


def test_the_npm_package_has_no_version_of_its_own() -> None:
    description = json.loads((ROOT / "labextension" / "package.json").read_text("utf-8"))
    assert description["version"] == "0.0.0", "labextension/scripts/finish.mjs puts in that of _version.py"


def test_the_checks_before_a_commit_are_those_of_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    checks = {hook["entry"].removeprefix(".venv/bin/").replace(" --force-exclude", "") for hook in hooks}
    recipe = re.search(r"(?m)^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"))
    assert recipe is not None
    lines = re.findall(r"@(?!echo)(.*)", recipe[1].replace("$(NPM)", "npm --prefix labextension"))
    assert checks == {line.replace("format --check", "format") for line in lines}


@pytest.mark.parametrize("name", ["test.yml", "check-release.yml"])
def test_a_workflow_runs_what_there_is(name: str) -> None:
    text = (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8")))
    for listed in re.findall(r"target: \[(.*)\]", text):
        assert set(listed.split(", ")) <= targets, listed
    for step in re.findall(r"run: (make .*|\.ci/run)$", text, re.MULTILINE):
        if step.startswith("make") and "$" not in step:
            assert set(step.split()[1:]) <= targets, step
        elif step == ".ci/run":
            assert (ROOT / step).exists()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "RELEASE.md", "docs/developing.md"])
def test_a_page_names_targets_that_there_are(page: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8")))
    named = set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", (ROOT / page).read_text("utf-8")))
    assert named
    assert named <= targets, named - targets
