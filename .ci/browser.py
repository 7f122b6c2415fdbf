"""Print the path of a Chromium that starts on this machine; if there is none, install one.

The candidates are, in this order: ``AUMOS_CHROMIUM``, the browser that Playwright has installed, one of the system,
Playwright's download, and, as root on Debian and its derivatives, the ``chromium`` package. Playwright drives the
browser, so it must start as well. Progress is printed to stderr.
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
# Short, so that a host that never responds does not delay the next candidate for long.
CONNECT_MILLISECONDS = "10000"


def print_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def starts(path: Path) -> bool:
    """Return whether the browser at ``path`` starts.

    A missing library, or a program that only names the package to install, is not noticed before.
    """
    if not os.access(path, os.X_OK):
        return False
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def playwright(*arguments: str) -> bool:
    """Run Playwright's command with these arguments, without output, and return whether it succeeded."""
    environment = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": CONNECT_MILLISECONDS, **os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "playwright", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def managed() -> Path:
    """Return the path of the Chromium that Playwright installs, whether or not it is installed yet."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        return Path(driver.chromium.executable_path)


def system() -> Iterator[Path]:
    for name in SYSTEM_NAMES:
        if found := shutil.which(name):
            yield Path(found)
    yield from map(Path, MAC_APPLICATIONS)


def can_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    """Install Debian packages with apt-get.

    A failure is only printed, so the caller must check afterwards whether the program starts.
    """
    print_progress(f"Browser: installing {' and '.join(packages)} with apt-get ...")
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            print_progress("\n".join(done.stdout.splitlines()[-10:]))
            return


def playwright_starts() -> bool:
    """Return whether the program with which Playwright drives browsers starts.

    If it does not, first try to install libatomic1, the only library it needs that a minimal Debian lacks.
    """
    if playwright("--version"):
        return True
    if can_install():
        install("libatomic1")
    return playwright("--version")


def find() -> Path | None:
    """Return the path of a browser that starts, or None. Without one on this machine, try to install one."""
    own = managed()
    if starts(own):
        return own
    if present := next(filter(starts, system()), None):
        return present
    print_progress("Browser: Playwright downloads Chromium ...")
    if playwright("install", "chromium") and starts(own):
        return own
    print_progress("Browser: Playwright could not download one that starts.")
    if can_install():
        install("chromium", "fonts-liberation")
        return next(filter(starts, system()), None)
    return None


def main() -> int:
    if not playwright_starts():
        print_progress("Browser: Playwright does not start. Run 'python -m playwright --version' to see why.")
        return 1
    given = os.environ.get("AUMOS_CHROMIUM")
    if given is not None and not starts(Path(given)):
        print_progress(f"Browser: AUMOS_CHROMIUM is {given!r}, which does not start. Unset it or set another path.")
        return 1
    found = given or find()
    if found is None:
        print_progress("Browser: none found, and none could be installed. Install Chromium, or set AUMOS_CHROMIUM.")
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
