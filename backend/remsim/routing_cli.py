"""``remsim links …`` and ``remsim policy …``: links that carry traffic together, and which should carry what."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from remsim import routing_verbs
from remsim.verb_cli import Run, verb

LINK = ("name", "the link, as in remsim_routing")


def add_verbs(verbs: Any) -> None:
    """Add ``links`` and ``policy`` and what is below them to the command's verbs."""
    links = verbs.add_parser("links", help="links that carry traffic together: state, flows, weights")
    add_link_verbs(links.add_subparsers(required=True, metavar="VERB"))
    policy = verbs.add_parser("policy", help="routing policies: check, explain, apply, roll back")
    add_policy_verbs(policy.add_subparsers(required=True, metavar="VERB"))


def add_link_verbs(below: Any) -> None:
    """What is asked of links, and done to them."""
    verb(below, "list", routing_verbs.run_list, "a line a link")
    verb(below, "show", routing_verbs.run_show_link, "all that is known of a link", LINK)
    flows = verb(below, "flows", routing_verbs.run_flows, "the flows under way, the fastest first")
    flows.add_argument("--limit", type=int, default=40, metavar="N", help="how many lines (default 40)")
    flows.add_argument("--link", metavar="NAME", help="of this link only")
    flows.add_argument("--policy", metavar="NAME", help="that this policy took only; '' for none")
    flows.add_argument("--host", metavar="ADDRESS", help="of this device or server only")
    verb(below, "rings", routing_verbs.run_rings, "what new flows are given to, and why")
    usage = verb(below, "usage", routing_verbs.run_usage, "what links carried")
    usage.add_argument("--days", type=int, default=30, metavar="N", help="how far back (default 30)")
    for name, text in (
        ("test", "probe a link now"),
        ("enable", "have a link carry traffic"),
        ("disable", "have a link carry no more traffic"),
        ("reset-flows", "have a link's flows begin again on the links that are up"),
    ):
        verb(below, name, routing_verbs.run_action, text, LINK).set_defaults(action=name.replace("-", "_"))
    other = verb(below, "import-mwan3", routing_verbs.run_import, "links and policies from mwan3's configuration")
    other.add_argument("--write", action="store_true", help="take them over; otherwise they are only shown")
    other.add_argument("--file", type=Path, metavar="FILE", help="another file than the router's, only shown")


def add_policy_verbs(below: Any) -> None:
    """What is asked of policies, and done with them. Verbs with a file need no running service."""
    for name, run, text in (
        ("check", routing_verbs.run_check, "what is wrong with a file, with line and column; 1 when there are errors"),
        ("compile", routing_verbs.run_compile, "the nftables text that a file makes"),
    ):
        offline(below, name, run, text).add_argument("file", metavar="FILE", help="policies, or - for stdin")
    tidy = below.add_parser("format", help="a file in the usual form, with its comments; 1 when it cannot be read")
    tidy.add_argument("file", metavar="FILE", help="policies, or - for stdin")
    tidy.add_argument("--write", action="store_true", help="into the file; otherwise it is only shown")
    tidy.set_defaults(run=routing_verbs.run_format, json=False)
    add_explain(below)
    apply = verb(below, "apply", routing_verbs.run_apply, "put a file in force", ("file", "policies, or - for stdin"))
    apply.add_argument("--dry-run", action="store_true", help="only say what it would take of the flows there were")
    apply.add_argument(
        "--confirm-within", type=int, default=0, metavar="S", help="back to what there was unless confirmed in time"
    )
    apply.add_argument("--source", choices=("local", "remote"), default="local", help="remote: pushed from elsewhere")
    verb(below, "confirm", routing_verbs.run_confirm, "keep a change that waits for it")
    show = verb(below, "show", routing_verbs.run_show, "the policies in force, with their hits")
    show.add_argument("--text", action="store_true", help="the text alone, to be saved")
    verb(below, "versions", routing_verbs.run_versions, "what was in force before")
    rollback = verb(below, "rollback", routing_verbs.run_rollback, "put an earlier version in force again")
    rollback.add_argument("version", nargs="?", type=int, metavar="N", help="the one before, when left out")
    override = verb(below, "override", routing_verbs.run_override, "local policies instead of the pushed ones")
    override.add_argument("--end", action="store_true", help="the pushed ones again")
    presets = verb(below, "presets", routing_verbs.run_presets, "policies to copy")
    presets.add_argument("name", nargs="?", metavar="NAME", help="the text of this one")
    countries = verb(below, "countries", routing_verbs.run_countries, "the list that tells where addresses are")
    countries.add_argument("word", nargs="?", choices=("import", "remove"))
    countries.add_argument("file", nargs="?", type=Path, metavar="FILE", help="CSV, TSV or an RIR's file; also gzip")
    countries.add_argument("--source", default="", help="where the list is from, to be shown with it")
    countries.add_argument("--attribution", default="", help="the words that its licence asks for, shown with it too")
    countries.add_argument("--date", default="", metavar="YYYY-MM-DD", help="of when it is, where it does not say so")


def add_explain(below: Any) -> None:
    """A question about a flow."""
    explain = verb(below, "explain", routing_verbs.run_explain, "which policy takes a flow, which link, and why")
    explain.add_argument("--file", metavar="FILE", help="by these policies, without the service; - for stdin")
    explain.add_argument("--src", metavar="ADDRESS", help="the device of the LAN, or router")
    explain.add_argument("--dst", metavar="ADDRESS", help="the server")
    explain.add_argument("--sport", type=int, metavar="PORT")
    explain.add_argument("--dport", type=int, metavar="PORT")
    explain.add_argument("--protocol", metavar="NAME", help="tcp, udp, icmp …")
    explain.add_argument("--domain", metavar="NAME", help="the server's name")
    explain.add_argument("--application", metavar="NAME")
    explain.add_argument("--interface", metavar="DEVICE", help="the LAN device it comes in by")
    explain.add_argument("--dscp", metavar="MARK")
    explain.add_argument("--country", metavar="CODE", help="where the server is")
    explain.add_argument("--packet-size", type=int, metavar="OCTETS")
    explain.add_argument("--flow-size", type=int, metavar="OCTETS")
    explain.add_argument("--download-rate", type=int, metavar="OCTETS/S")
    explain.add_argument("--upload-rate", type=int, metavar="OCTETS/S")
    explain.add_argument("--at", metavar="TIME", help="02:30, sat 02:30, 2026-01-31T02:30; the router's clock")


def offline(below: Any, name: str, run: Run, text: str) -> argparse.ArgumentParser:
    """A verb that asks no service."""
    made: argparse.ArgumentParser = below.add_parser(name, help=text)
    made.add_argument("--config", type=Path, metavar="DIR", help="UCI files (default /etc/config)")
    made.add_argument("--state", type=Path, metavar="DIR", help="where the list of countries is (default /etc/remsim)")
    made.add_argument("--json", action="store_true", help="print JSON only")
    made.set_defaults(run=run)
    return made
