"""The ledger to read if no server runs: the one that this user's servers use, according to Jupyter's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..errors import ConfigurationError
from ..server.settings.settings import default_database_url

_CONFIGS: Final = ("jupyter_aumos_governance_config", "jupyter_server_config")
"""The names, without suffix, of a server's configuration files, each of which takes precedence over those before."""


def configured_url() -> str:
    """Return the URL of the ledger that a server would use if this user started it now, without further options.

    It is the option ``GovernanceExtension.database_url`` in Jupyter's configuration files or else the default. Raises
    ConfigurationError if a file cannot be read.
    """
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
        # A configuration file may be a Python program, which can raise any error.
        raise ConfigurationError(
            f"Jupyter's configuration cannot be read ({type(error).__name__}: {error}); name the ledger with"
            " --database-url."
        ) from error
    # Read from the configuration and not from a GovernanceExtension object, which would create the ledger's folder.
    return str(config.GovernanceExtension.get("database_url") or default_database_url(Path(jupyter_data_dir())))
