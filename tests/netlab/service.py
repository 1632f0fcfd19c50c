"""The whole service in a lab's router, with a link for each emulated one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from running import RunningService

from netlab.lab import LAN, Lab

Options = Mapping[str, object]


class RouterService(RunningService):
    """``remsim serve`` inside the router's namespace; requests are made from in there."""

    def __init__(self, lab: Lab, directory: Path, *arguments: str) -> None:
        config = directory / "config"
        config.mkdir(parents=True, exist_ok=True)
        super().__init__(directory, "--config", str(config), *arguments)
        self.prefix = ("ip", "netns", "exec", lab.router.name)
        self._lab, self.config = lab, config

    def start(self, timeout_s: float = 15.0) -> RouterService:
        """Start it and wait until it answers."""
        with self._lab.router.entered():
            super().start(timeout_s)
        return self

    def request(self, path: str, **options: Any) -> tuple[int, Any]:
        """As that of any service, asked inside the router."""
        with self._lab.router.entered():
            return super().request(path, **options)

    def links(self) -> dict[str, dict[str, Any]]:
        """Links by name, as ``GET /links`` tells them."""
        return {link["name"]: link for link in self.get("links")["links"]}

    def wait_states(self, wanted: Mapping[str, str] | str, timeout_s: float = 60.0) -> None:
        """Wait until links have these states, or all of them this one."""

        def are_there(answer: dict[str, Any]) -> bool:
            states = {link["name"]: link["state"] for link in answer["links"]}
            asked = dict.fromkeys(states, wanted) if isinstance(wanted, str) else wanted
            return len(states) == len(self._lab.links) and all(states.get(one) == state for one, state in asked.items())

        self.wait_for("links", are_there, timeout_s)


def routing_text(
    lab: Lab, *, common: Options | None = None, each: Callable[[int], Options] = lambda index: {}
) -> str:
    """``/etc/config/remsim_routing`` with the links sim1… of a lab; ``common`` are further options of all of it, and
    ``each`` of the link with an index. None leaves an option out."""
    lines = section("routing", "globals", {"enabled": 1, "lan": [LAN], **(common or {})})
    for link in lab.links:
        known = {"device": link.device, "index": link.index, "priority": link.index}
        rates = {"down_kbit": link.shape.down_kbit, "up_kbit": link.shape.up_kbit}
        lines += section("link", link.device, {**known, **rates, **each(link.index)})
    return "\n".join(lines) + "\n"


def section(kind: str, name: str, options: Options) -> list[str]:
    """Lines of a section of UCI; a sequence becomes a list."""
    lines = [f"config {kind} '{name}'"]
    for option, value in options.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            lines += [f"\tlist {option} '{one}'" for one in value]
        elif value is not None:
            lines.append(f"\toption {option} '{value}'")
    return lines


@contextmanager
def serving(lab: Lab, directory: Path, routing: str, *arguments: str, wait_s: float = 20.0) -> Iterator[RouterService]:
    """The service in the router with this configuration, from when all links are up; stopped when it is left."""
    service = RouterService(lab, directory, *arguments)
    (service.config / "remsim_routing").write_text(routing)
    service.start()
    try:
        if wait_s:
            service.wait_states("up", wait_s)
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop(20)


def quiet(lab: Lab, rest_s: float = 0.5) -> None:
    """Forget the router's flows and let the links' queues run empty."""
    lab.router("conntrack", "-F", check=False)
    time.sleep(rest_s)
