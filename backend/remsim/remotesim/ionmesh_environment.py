"""IonMesh's settings as the environment wants them: for tests, and for who keeps secrets out of files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from remsim.config.remote_sim import IonMeshOptions, IonMeshSettings

log = logging.getLogger(__name__)

VARIABLES = {
    "REMSIM_IONMESH_URL": "url",
    "REMSIM_IONMESH_KEY": "api_key",
    "REMSIM_IONMESH_TENANT": "tenant_id",
    "REMSIM_IONMESH_MODE": "mapping_mode",
}


def in_force(settings: IonMeshSettings, environment: Mapping[str, str]) -> IonMeshSettings:
    """The settings with what the environment says instead; an address there switches IonMesh on.

    What cannot be used is logged by its name, never by its value, and counts for nothing.
    """
    given = {option: environment[name] for name, option in VARIABLES.items() if environment.get(name)}
    changed: dict[str, Any] = {}
    for name, option in VARIABLES.items():
        if option in given:
            try:
                changed |= IonMeshOptions().load({option: given[option]})
            except ValidationError as error:
                log.error("%s %s", name, error.messages_dict[option][0])
    if "url" in changed:
        changed["enabled"] = True
    settings = replace(settings, **changed)
    return settings if settings.url else replace(settings, enabled=False)
