"""Which ledger this user's servers keep, according to their configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..errors import ConfigurationError
from ..server.settings.settings import default_database_url

__all__ = ["configured_url"]

_CONFIGS: Final = ("jupyter_aumos_governance_config", "jupyter_server_config")
"""The files that a server reads for the extension, the stronger one last."""


def configured_url() -> str:
    """Where a server with this user's configuration files would keep its ledger; raises ConfigurationError."""
    from jupyter_core.application import JupyterApp
    from jupyter_core.paths import jupyter_data_dir
    from traitlets.config import Config

    config = Config()
    try:
        for name in _CONFIGS:
            app = JupyterApp(config_file_name=name, raise_config_file_errors=True)
            app.load_config_file(suppress_errors=False)
            config.merge(app.config)
    except Exception as error:
        # A configuration file is a program, which may fail in any way.
        raise ConfigurationError(
            f"Jupyter's configuration cannot be read ({type(error).__name__}: {error}); name the ledger with"
            " --database-url."
        ) from error
    # Not taken from the extension or an application, which would make the folder.
    return str(config.GovernanceExtension.get("database_url") or default_database_url(Path(jupyter_data_dir())))
