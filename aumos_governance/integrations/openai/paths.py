"""The paths of OpenAI's API whose requests cost nothing according to the published price list.

https://platform.openai.com/docs/pricing lists what is billed. Prices exist for the tokens of models (also in batches,
eval runs and graders), for images, audio, videos and training, and for tools: containers per session, web and file
searches per call, and the storage of vector stores and ChatKit uploads per gigabyte and day above a free gigabyte.
Moderation is listed as free. Anything that is not in the list has no separate price.

A request that stores data is free, but the storage may be billed by the day, and no request shows for how many days.
So adding files to a vector store is refused; setting the store's name, metadata and expiry is free.
"""

from __future__ import annotations

import re
from typing import Final

FREE_POSTS: Final = re.compile(
    r"/(?:"
    # Moderation is listed as free, and counting tokens has no price.
    r"moderations|responses/input_tokens"
    # Files and uploads: no price (https://platform.openai.com/docs/api-reference/files). Files for a container: the
    # container is billed when it is made.
    r"|files|uploads(?:/[^/]+(?:/(?:parts|complete|cancel))?)?|containers/[^/]+/files"
    # Stored conversations and responses, and their metadata: no price; their tokens are billed with the responses.
    r"|chat/completions/[^/]+|conversations(?:/[^/]+(?:/items)?)?"
    # An empty vector store, and the names and metadata of stores and of their files; ending a batch of files.
    r"|vector_stores/[^/]+|vector_stores/[^/]+/files/[^/]+|vector_stores/[^/]+/file_batches/[^/]+/cancel"
    # Definitions, billed by the runs, sessions and responses that use them: evals, skills, assistants with their
    # threads and messages, agents, voices, vaults for their credentials.
    r"|evals|evals/[^/]+|skills(?:/.+)?|assistants(?:/[^/]+)?|agents|agents/(?!automations$|environments$|sessions$)[^/]+"
    r"|threads|threads/(?!runs$)[^/]+(?:/messages(?:/[^/]+)?)?|threads/[^/]+/runs/(?!cancel$)[^/]+"
    r"|agents/environments/templates(?:/[^/]+)?|agents/automations/[^/]+/pause|vaults(?:/.+)?"
    r"|audio/(?:voices|voice_consents(?:/[^/]+)?)"
    # Secrets that let a browser open a session: only the session is billed, over a separate connection.
    r"|realtime/(?:client_secrets|sessions|transcription_sessions|translations/client_secrets)"
    r"|chatkit/sessions(?:/[^/]+/cancel)?|chatkit/files"
    # Ending, refusing or forwarding a running session, job or call (earlier libraries end an eval's run at the run's
    # own path); validating a grader's definition, which runs nothing.
    r"|(?:responses|batches|fine_tuning/jobs|evals/[^/]+/runs|threads/[^/]+/runs)/[^/]+/cancel"
    r"|evals/[^/]+/runs/[^/]+"
    r"|fine_tuning/jobs/[^/]+/pause|fine_tuning/alpha/graders/validate|fine_tuning/checkpoints/[^/]+/permissions"
    r"|(?:realtime/calls|live/sessions)/[^/]+/(?:hangup|refer|reject)"
    # The administration of an organization, and of the endpoints that receive its events.
    r"|organization/.+|projects/.+|webhook_endpoints(?:/.+)?"
    r")"
)
"""Matches the paths of free POST, PUT and PATCH requests. Reading and deleting are free at any path."""
