"""The desk of ``/etc/config/remsim_console``."""

from __future__ import annotations

from remsim.config.document import Known
from remsim.config.file_desk import LARGEST_FILE, Changed, FileDesk, Outcome
from remsim.config.reading import OnError
from remsim.config.sections import SECTIONS
from remsim.config.settings import CONFIG_NAME, Settings, settings_of
from remsim.config.uci import UciFile

__all__ = ["LARGEST_FILE", "Changed", "ConfigDesk", "Outcome"]


class ConfigDesk(FileDesk[Settings]):
    """The configuration of one router."""

    name = CONFIG_NAME
    versions_folder = "config-versions"
    format_name = "remsim-config"

    @property
    def sections(self) -> Known:
        """All types there are."""
        return SECTIONS

    def read(self, file: UciFile, on_error: OnError) -> Settings:
        """The settings of a file."""
        return settings_of(file, on_error)
