"""Which engine decides in real kernels: in forked children, inside another kernel, and behind a kernel gateway."""

from __future__ import annotations

from pathlib import Path

from tests.kernel.real_kernel import (
    Kernel,
    environment,
    refused,
    spent,
    started,
)


def test_a_forked_child_gets_an_engine_of_its_own(kernel: Kernel) -> None:
    kernel.run("%governance\n%governance_spend 0.05")
    # The child must not print, since another thread may have held the lock of ipykernel's output at the fork.
    forked = kernel.run(
        "import os\n"
        "from aumos_governance.kernel.requests.connection import connect\n"
        "read, write = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        answer = connect(get_ipython()).client.request('spend', {'amount': '0.05'})\n"
        "        os.write(write, repr(answer['decision']['code']).encode())\n"
        "    except BaseException as error:\n"
        "        os.write(write, repr(error).encode())\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "told = os.read(read, 1000)"
    )
    assert forked.status == "ok"
    # The child counts as another notebook, since it is another process, and that one has no session.
    assert kernel.value("told") == "b\"'NO_SESSION'\""
    assert "$0.05 spent" in spent(kernel)


def test_a_kernel_started_inside_a_strict_servers_kernel_fails_closed(tmp_path: Path) -> None:
    sign = '{"v": 1, "kernel_id": "another", "strict": true}'
    with started(environment(tmp_path, KERNEL_AUMOS_GOVERNANCE=sign), tmp_path) as kernel:
        refused(
            kernel.run("%governance"),
            "UnavailableError",
            "inside a strict governance server (GovernanceExtension.strict)",
        )
    assert not (tmp_path / "data" / "aumos_governance").exists()


def test_a_kernel_started_inside_a_governed_one_uses_its_own_engine(tmp_path: Path) -> None:
    sign = '{"v": 1, "kernel_id": "another", "strict": false}'
    outer = {"KERNEL_AUMOS_GOVERNANCE": sign, "JPY_SESSION_NAME": str(tmp_path / "outer.ipynb")}
    with started(environment(tmp_path, **outer), tmp_path) as kernel:
        assert kernel.run("%governance").lines[-1] == "Governance enabled: trust_level=L2, budget=$10.00"
        kernel.run("from aumos_governance.kernel.requests.connection import connect")
        assert "process:" in kernel.value("connect(get_ipython()).client.greeting['notebook']")


def test_a_gateways_kernel_says_plainly_that_it_cannot_be_governed(tmp_path: Path) -> None:
    sign = '{"v": 1, "kernel_id": null, "strict": false}'
    with started(environment(tmp_path, KERNEL_AUMOS_GOVERNANCE=sign), tmp_path) as kernel:
        refused(kernel.run("%governance"), "ServerUnreachableError", "behind a Jupyter kernel gateway")


def test_the_front_ends_name_of_the_notebook_joins_its_runs(tmp_path: Path) -> None:
    environ = environment(tmp_path, JPY_SESSION_NAME=str(tmp_path / "report.ipynb"))
    with started(environ, tmp_path) as kernel:
        kernel.run("%governance\n%governance_spend 0.2")
    with started(environ, tmp_path) as kernel:
        assert kernel.run("%governance").lines[-1] == (
            "Governance enabled: trust_level=L2, budget=$10.00 (resumed, $0.20 spent; --new starts fresh)"
        )
