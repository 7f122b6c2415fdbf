"""Server, kernel, provider and client are killed while calls use the gateway: nothing is lost or charged twice."""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from tests.bridge.gateway_crowds.scene import Scene

VICTIMS = ("server", "kernel", "upstream", "client")
KILLS = int(os.environ.get("AUMOS_SOAK_KILLS", "100"))
SEED = os.environ.get("AUMOS_SOAK_SEED")
"""The seed of the random choices, to repeat the run that printed it."""


@pytest.mark.soak
def test_whatever_is_killed_each_call_is_charged_once(soak: bool, tmp_path: Path) -> None:
    seed = int(SEED) if SEED else random.SystemRandom().getrandbits(32)
    print(f"AUMOS_SOAK_SEED={seed}")
    chance = random.Random(seed)
    victims = [*VICTIMS, *chance.choices(VICTIMS, k=KILLS - len(VICTIMS) if soak else 0)]
    chance.shuffle(victims)
    with closing(Scene(tmp_path, chance)) as scene:
        scene.start()
        for number, victim in enumerate(victims):
            print(f"kill {number}: {victim}")
            scene.round(victim)
        figures = scene.figures
        print(figures)
    assert figures.whole >= len(victims)
    # This includes the time of the calls themselves.
    assert max(figures.closing_seconds, default=0) < 5
    assert max(figures.key_seconds) < 2
    if soak:
        assert median(figures.key_seconds) < 1
