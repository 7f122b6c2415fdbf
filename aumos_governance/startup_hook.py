# The server sets PYTHONSTARTUP to this file when it starts a Python kernel, so that IPython runs it. It imports
# nothing of the package, which may not be installed in the kernel's environment. Instead it registers a loader, which
# loads the magics when a cell first uses one, or when code first needs the notebook's engine. The file runs in the
# user's namespace and leaves no name there. It has no docstring, which would become that of the user's `__main__`.


def _aumos_governance_loader(shell) -> None:  # type: ignore[no-untyped-def]
    import sys
    from types import ModuleType
    from typing import Any

    def load() -> None:
        try:
            from aumos_governance.jupyter_extension import load_ipython_extension

            load_ipython_extension(shell)
        except Exception:  # noqa: BLE001 - the package is missing or broken; %load_ext shows the error
            return

    def forget() -> None:
        transforms = shell.input_transformer_manager.cleanup_transforms
        transforms[:] = [transform for transform in transforms if transform is not load_for_magics]
        sys.modules.pop(marker.__name__, None)

    def load_for_magics(lines: Any) -> Any:
        if not any("%governance" in line or "%%governed" in line for line in lines):
            return lines
        manager = shell.input_transformer_manager
        before = list(manager.line_transforms)
        load()
        # IPython made its list of transforms for this cell before load() added some, so they are applied here.
        for transform in manager.line_transforms:
            if transform not in before:
                lines = transform(lines)
        return lines

    # With this attribute, IPython does not call the transform when it only checks whether a cell is complete.
    vars(load_for_magics)["has_side_effects"] = True
    marker = ModuleType("_aumos_governance_loader")
    vars(marker).update(load=load, forget=forget)
    shell.input_transformer_manager.cleanup_transforms.append(load_for_magics)
    sys.modules[marker.__name__] = marker


def _aumos_governance_startup(register_loader) -> None:  # type: ignore[no-untyped-def]
    import os
    import sys
    from pathlib import Path

    del globals()["_aumos_governance_startup"], globals()["_aumos_governance_loader"]
    # Child processes must find PYTHONSTARTUP as the user set it.
    os.environ.pop("PYTHONSTARTUP", None)
    user_startup = os.environ.pop("AUMOS_GOVERNANCE_STARTUP", "")
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if hasattr(shell, "kernel") and "KERNEL_AUMOS_GOVERNANCE" in os.environ:
        register_loader(shell)
    if not user_startup:
        return
    os.environ["PYTHONSTARTUP"] = globals()["__file__"] = user_startup
    if shell is None:
        exec(compile(Path(user_startup).read_bytes(), user_startup, "exec"), globals())  # noqa: S102 - as Python does
    elif user_startup.endswith((".ipy", ".ipynb")):
        shell.safe_execfile_ipy(user_startup)
    else:
        shell.safe_execfile(user_startup, globals())


_aumos_governance_startup(_aumos_governance_loader)
