"""The detection report as a text to paste."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def report_text(report: dict[str, Any]) -> str:
    """The whole report, plain enough for a bug tracker, a forum or a mail."""
    return "\n".join((*head(report), *usb(report), *pci(report), *around(report))) + "\n"


def head(report: dict[str, Any]) -> Iterator[str]:
    """What this is about and what was looked for."""
    yield f"remsim {report['version']} on Linux {report['kernel']} ({report['machine']})"
    sought = ", ".join(f"{one['vendor']} ({one['ids']})" for one in report["looked_for"])
    yield f"Looked for USB and PCI ids of: {sought}"


def usb(report: dict[str, Any]) -> Iterator[str]:
    """Every device on the bus; hubs in one line."""
    yield ""
    yield "USB:" if report["usb"] else "USB: nothing found"
    for one in report["usb"]:
        name = " ".join(word for word in (one["manufacturer"], one["product"]) if word) or "no name"
        known = f" [{one['kind'].replace('_', ' ')}{': ' + one['module'] if one['module'] else ''}]"
        yield f"  {one['usb_path']} {one['usb_id']} {name}{known}"
        if one["kind"] == "hub":
            continue
        for interface in one["interfaces"]:
            nodes = " ".join(interface["nodes"])
            driver = interface["driver"] or "no driver"
            yield f"    if {interface['number']:2d}  {interface['class']}  {driver:12s} {nodes}".rstrip()


def pci(report: dict[str, Any]) -> Iterator[str]:
    """Modems on PCI Express, and the kernel's wwan devices."""
    for one in report["pci"]:
        yield f"PCI {one['place'][4:]} {one['pci_id']} [{one['module'] or 'candidate'}] {one['driver'] or 'no driver'}"
    if report["wwan"]:
        yield f"wwan devices: {' '.join(report['wwan'])}"


def around(report: dict[str, Any]) -> Iterator[str]:
    """Who else is there, what went wrong, what to do."""
    yield ""
    yield f"ModemManager: {'runs' if report['modem_manager'] else 'does not run'}"
    for user in report["port_users"]:
        yield f"  {user['port']} is open in {user['process']} (pid {user['pid']})"
    for title, name in (("Modems", "modems"), ("Recent errors", "errors"), ("What to do", "hints")):
        if report[name]:
            yield f"{title}:"
            yield from (f"  {line}" for line in report[name])
