"""The endpoint, the engine and the governed completions that the tests of LiteLLM use."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator

# Otherwise it would fetch its prices, which these tests do not need.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import pytest

with warnings.catch_warnings():
    # Versions up to 1.108 use a deprecated function at the import.
    warnings.simplefilter("ignore", DeprecationWarning)
    import litellm  # noqa: F401 - so that the tests can import it without that warning

from aumos_governance import GovernanceEngine
from aumos_governance.integrations.litellm import GovernedLiteLLM
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till
from tests.litellm.calls import TOKENS


@pytest.fixture(scope="module", autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Collect LiteLLM's garbage while its warnings are ignored, and not during the next module's tests."""
    yield
    gc.collect()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        endpoint.default = Reply(usage=TOKENS)
        yield endpoint


@pytest.fixture
def till() -> Iterator[Till]:
    with GovernanceEngine() as engine:
        yield Till(engine)


@pytest.fixture
def governed(till: Till) -> GovernedLiteLLM:
    return GovernedLiteLLM(engine=till.engine, budget_category="llm")
