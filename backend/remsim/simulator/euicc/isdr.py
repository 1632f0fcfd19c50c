"""The ISD-R: which function of ES10 a request is for, and its answer."""

from __future__ import annotations

from collections.abc import Callable

from remsim.core import tlv
from remsim.simulator.euicc import der, loading, notifications
from remsim.simulator.euicc.chip import Chip
from remsim.simulator.euicc.es10c import ProfileManager
from remsim.simulator.euicc.iot import EimPart
from remsim.simulator.euicc.loading import Loader
from remsim.simulator.euicc.rsp import UNDEFINED, Rsp, WrongData

PACKAGE = b"\xbf\x36"
OF_A_PACKAGE = (0xA0, 0xA1, 0xA2, 0xA3, 0x86, 0x87, 0x88)
"""What a request begins with that is a further piece of a package."""


class UnknownTag(Exception):
    """The card has no function of that tag."""


class WrongState(Exception):
    """Not now."""


class Isdr:
    """One card's, whatever the channel."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._rsp = Rsp(chip)
        self.manager = ProfileManager(chip)
        self._loader: Loader | None = None
        memory, manager = chip.memory, self.manager
        self._functions: dict[int, Callable[[bytes], bytes]] = {
            0xBF20: lambda value: chip.info1(),
            0xBF21: self._rsp.prepare,
            0xBF22: lambda value: chip.info2(),
            0xBF28: lambda value: notifications.list_notifications(memory, value),
            0xBF29: manager.name,
            0xBF2B: lambda value: notifications.retrieve(memory, value),
            0xBF2D: manager.list_profiles,
            0xBF2E: self._challenge,
            0xBF30: lambda value: notifications.remove(memory, value),
            0xBF31: manager.enable,
            0xBF32: manager.disable,
            0xBF33: manager.delete,
            0xBF34: manager.reset,
            0xBF35: lambda value: tlv.encode(0xBF35, der.integer(0x81, UNDEFINED)),
            0xBF38: self._rsp.authenticate,
            0xBF3C: self._addresses,
            0xBF3E: manager.eid,
            0xBF3F: self._set_default_address,
            0xBF41: self._cancel,
            0xBF43: lambda value: tlv.encode(0xBF43, chip.rules_table()),
        }
        if chip.personality.is_iot:
            self._functions |= EimPart(chip, manager).functions()

    @property
    def is_loading(self) -> bool:
        """Whether a package was begun and is not over."""
        return self._loader is not None and not self._loader.is_over

    def do(self, request: bytes) -> bytes:
        """The answer to a whole request. ``TlvError`` and ``WrongData``, ``UnknownTag`` and ``WrongState``."""
        if request.startswith(PACKAGE):
            return self._begin_package(request)
        tag, _ = tlv.read_tag(request, 0)
        if tag in OF_A_PACKAGE:
            if self._loader is None or self._loader.is_over:
                raise WrongState
            return self._loader.feed(request)
        function = self._functions.get(tag)
        if function is None:
            raise UnknownTag
        return function(tlv.read_one(request).value)

    def power_off(self) -> None:
        """What is lost without power: the session, and a package that was not whole."""
        self._loader = None
        self._rsp.forget()
        loading.resume(self._chip)

    def _begin_package(self, request: bytes) -> bytes:
        session = self._rsp.session
        if session is None or session.one_time_key is None:
            raise WrongState
        self._loader = Loader(self._chip, self._rsp)
        return self._loader.begin(request)

    def _challenge(self, value: bytes) -> bytes:
        self._drop()
        return self._rsp.challenge()

    def _drop(self) -> None:
        """Another session begins, or the server was told: nobody waits for the package any more."""
        self._loader = None
        if self._chip.memory.loading is not None:
            self._chip.memory.loading = None
            self._chip.memory.save()

    def _cancel(self, value: bytes) -> bytes:
        answer = self._rsp.cancel(value)
        if self._rsp.session is None:
            self._drop()
        return answer

    def _addresses(self, value: bytes) -> bytes:
        memory = self._chip.memory
        default = der.text(0x80, memory.default_smdp) if memory.default_smdp else b""
        return tlv.encode(0xBF3C, default, der.text(0x81, memory.root_smds))

    def _set_default_address(self, value: bytes) -> bytes:
        address = der.value(der.parts(value), 0x80)
        if address is None:
            raise WrongData
        try:
            self._chip.memory.default_smdp = address.decode()
        except UnicodeDecodeError:
            return tlv.encode(0xBF3F, der.integer(0x80, UNDEFINED))
        self._chip.memory.save()
        return tlv.encode(0xBF3F, der.integer(0x80, 0))
