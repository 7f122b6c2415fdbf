# The server has IPython run this file when it starts a Python kernel, by the variable PYTHONSTARTUP. It imports nothing
# of the package, which the kernel's environment may not have: it leaves a loader, which loads the magics when a cell
# first uses one or code first needs the notebook's engine. It runs in the user's namespace and leaves no name there;
# a docstring would become that of the user's `__main__`.


def _aumos_governance_loader(shell) -> None:  # type: ignore[no-untyped-def]
    import sys
    from types import ModuleType
    from typing import Any

    def load() -> None:
        try:
            from aumos_governance.jupyter_extension import load_ipython_extension

            load_ipython_extension(shell)
        except Exception:  # noqa: BLE001 - not installed yet, or broken: %load_ext then shows the error
            return

    def forget() -> None:
        transforms = shell.input_transformer_manager.cleanup_transforms
        transforms[:] = [transform for transform in transforms if transform is not look]
        sys.modules.pop(marker.__name__, None)

    def look(lines: Any) -> Any:
        if not any("%governance" in line or "%%governed" in line for line in lines):
            return lines
        manager = shell.input_transformer_manager
        before = list(manager.line_transforms)
        load()
        # IPython has already listed the transforms of this cell.
        for transform in manager.line_transforms:
            if transform not in before:
                lines = transform(lines)
        return lines

    # IPython then leaves it out where it only checks whether a cell is complete.
    vars(look)["has_side_effects"] = True
    marker = ModuleType("_aumos_governance_loader")
    vars(marker).update(load=load, forget=forget)
    shell.input_transformer_manager.cleanup_transforms.append(look)
    sys.modules[marker.__name__] = marker


def _aumos_governance_startup(leave_loader) -> None:  # type: ignore[no-untyped-def]
    import os
    import sys
    from pathlib import Path

    del globals()["_aumos_governance_startup"], globals()["_aumos_governance_loader"]
    # Child processes find the variable as the user set it.
    os.environ.pop("PYTHONSTARTUP", None)
    users = os.environ.pop("AUMOS_GOVERNANCE_STARTUP", "")
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if hasattr(shell, "kernel") and "KERNEL_AUMOS_GOVERNANCE" in os.environ:
        leave_loader(shell)
    if not users:
        return
    os.environ["PYTHONSTARTUP"] = globals()["__file__"] = users
    if shell is None:
        exec(compile(Path(users).read_bytes(), users, "exec"), globals())  # noqa: S102 - as Python itself does
    elif users.endswith((".ipy", ".ipynb")):
        shell.safe_execfile_ipy(users)
    else:
        shell.safe_execfile(users, globals())


_aumos_governance_startup(_aumos_governance_loader)
