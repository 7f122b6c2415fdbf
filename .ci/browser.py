"""Print the path of a Chromium that runs; find or install one first.

In this order: ``AUMOS_CHROMIUM``, the browser Playwright manages, one the system has, Playwright's download,
and, as root on Debian or a relative, the ``chromium`` package. A candidate counts only if it starts. Progress
goes to stderr.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MAC_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
START_SECONDS = 30
DOWNLOAD_SECONDS = 300
# A host that never answers must not hold up the next way to get a browser.
CONNECT_MILLISECONDS = "10000"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def starts(path: Path) -> bool:
    """Tell whether the browser runs here: a missing library or a package stub shows only at its start."""
    if not os.access(path, os.X_OK):
        return False
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def managed() -> Path | None:
    """Return where Playwright keeps its Chromium, whether or not it is there yet; None without Playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def system() -> Iterator[Path]:
    for name in SYSTEM_NAMES:
        if found := shutil.which(name):
            yield Path(found)
    yield from map(Path, MAC_APPLICATIONS)


def download() -> None:
    """Let Playwright download its Chromium; a network that refuses is not an error here."""
    say("Browser: asking Playwright to download Chromium ...")
    environment = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": CONNECT_MILLISECONDS, **os.environ}
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        failed = True
    if failed:
        say("Browser: Playwright could not download it.")


def install() -> None:
    """Install Debian's package; the caller made sure that this is root."""
    say("Browser: installing the chromium package with apt-get ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-liberation"]
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            say("\n".join(done.stdout.splitlines()[-10:]))
            return


def find() -> Path | None:
    """Return the first browser that starts, installing one only when there is none."""
    if (given := os.environ.get("AUMOS_CHROMIUM")) is not None:
        return Path(given) if starts(Path(given)) else None
    own = managed()
    if own is not None and starts(own):
        return own
    if present := next(filter(starts, system()), None):
        return present
    if own is not None:
        download()
        if starts(own):
            return own
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
        return next(filter(starts, system()), None)
    return None


def main() -> int:
    if (found := find()) is None:
        if (given := os.environ.get("AUMOS_CHROMIUM")) is not None:
            say(f"Browser: AUMOS_CHROMIUM is {given!r}, which does not start. Unset it or name another.")
        else:
            say("Browser: none found, none could be installed. Install Chromium, or set AUMOS_CHROMIUM.")
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
