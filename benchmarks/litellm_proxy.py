"""LiteLLM's proxy as a process, with which the benchmark `gateway` compares this project's gateway. It has no database.

It must be installed in an environment of its own, by ``pip install 'litellm[proxy]'``, since it needs other versions of
many packages.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 120.0


@dataclass(frozen=True)
class Proxy:
    pid: int
    port: int


@contextlib.contextmanager
def proxy(program: Path, folder: Path, endpoint: int, secret: str) -> Iterator[Proxy]:
    """Run LiteLLM's proxy in front of a provider's endpoint, and end it when the context is left.

    ``program`` is the path of LiteLLM's program, ``folder`` the folder for its files, ``endpoint`` the provider's port,
    and ``secret`` the API key that the proxy accepts. It has one worker, since the gateway is one process as well.
    Raises RuntimeError with the proxy's log if it does not start within 120 seconds.
    """
    model = {"model": "openai/gpt-4o", "api_base": f"http://127.0.0.1:{endpoint}/v1", "api_key": "sk-real"}
    settings = {
        "model_list": [{"model_name": "gpt-4o", "litellm_params": model}],
        "general_settings": {"master_key": secret},
    }
    config = folder / "litellm.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--config", config, "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    # It uses the prices of its own package, and logs no line for each call.
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    environment.pop("PYTHONPATH", None)
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        until = time.monotonic() + PATIENCE
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "litellm.log").read_text())
            time.sleep(0.2)
        yield Proxy(process.pid, port)
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    url = f"http://127.0.0.1:{port}/health/liveliness"
    with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5) as found:
        return bool(found.status == 200)
    return False
