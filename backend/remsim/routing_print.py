"""What ``remsim links`` and ``remsim policy`` print for people."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from remsim.modem_print import printable


def show_links(view: Mapping[str, Any]) -> int:
    """A line a link, in the order in which they are tried."""
    for told in (view.get("problem"), *view["warnings"]):
        if told:
            hint = f" ({printable(told['hint'])})" if told.get("hint") else ""
            print(f"{printable(told['message'])}{hint}", file=sys.stderr)
    if view["state"] != "running":
        print(f"links are {view['state']}", file=sys.stderr)
    for link in sorted(view["links"], key=lambda one: (one["priority"], one["index"])):
        made_of = link["device"] or link["interface"] or link["place"] or ""
        cells = (
            f"{link['name']:20}",
            f"{made_of:15}",
            f"{link['state']:9}",
            f"{number(link['latency_ms'], 'ms'):>8}",
            f"{number(link['loss_percent'], '%'):>6}",
            f"{rate(link['rx_bps']):>12}",
            f"{rate(link['tx_bps']):>12}",
            f"{number(link['flows'], 'flows'):>11}",
        )
        print(printable("  ".join(cells)).rstrip())
        for told in (link["reason"], changed_profile(link.get("cap_switch"))):
            if told:
                print(f"    {printable(told)}")
    if not view["links"]:
        print("no link; add one on the page Links, or take those of mwan3: remsim links import-mwan3", file=sys.stderr)
    return 0


def changed_profile(change: Mapping[str, Any] | None) -> str | None:
    """What became of a link that changes its eSIM profile at its cap."""
    if change is None:
        return None
    to = change["profile_name"] or "another profile"
    until = f" until the end of {change['until']}" if change["until"] else ""
    why = f": {change['problem']}" if change["problem"] else ""
    told = {
        "going": f"at its data cap: changing to {to}",
        "away": f"at its data cap: changed to {to}{until}" + (f"; it could not go back yet{why}" if why else ""),
        "returning": f"going back to {change['from_name'] or 'its profile'}",
        "refused": f"at its data cap: it could not change to {to}{why}",
        "left": f"its profile was chosen by hand: left alone{until}",
    }
    return told.get(change["state"])


def show_link(link: Mapping[str, Any]) -> int:
    """A line a fact; what is unknown is left out."""
    for name, value in link.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {one}" for key, one in value.items() if one not in (None, [], ""))
        elif isinstance(value, list):
            value = ", ".join(str(one) for one in value)
        if value not in (None, ""):
            print(f"{name:18}  {printable(str(value))}")
    return 0


def show_flows(view: Mapping[str, Any]) -> int:
    """A line a flow."""
    for flow in view["flows"]:
        source = flow["source_name"] or flow["source"]
        target = flow["domain"] or flow["destination"]
        cells = (
            f"{flow['protocol']:5}",
            f"{end(source, flow['source_port']):28}",
            f"{end(target, flow['destination_port']):40}",
            f"{flow['link'] or '-':16}",
            f"{flow['policy'] or '-':20}",
            f"{rate(flow['rx_bps']):>12}",
            f"{rate(flow['tx_bps']):>12}",
        )
        print(printable("  ".join(cells)))
    print(f"{view['shown']} of {view['total']} flows", file=sys.stderr)
    return 0


def show_rings(rings: Sequence[Mapping[str, Any]]) -> int:
    """A block a ring."""
    for ring in rings:
        name = ring["policy"] or ring["name"]
        print(printable(f"{name}: {ring['choice']}"))
        for one in ring["weights"]:
            print(printable(f"    {one['link']:20}  {one['percent']:5.1f} %  {one['why']}"))
    if not rings:
        print("no link carries traffic", file=sys.stderr)
    return 0


def show_usage(view: Mapping[str, Any]) -> int:
    """Sums by link."""
    sums: Counter[str] = Counter()
    for row in view["days"]:
        sums[row["link"]] += row["rx_bytes"] + row["tx_bytes"]
    for link, count in sums.most_common():
        print(printable(f"{link:20}  {count / 1e9:10.3f} GB"))
    if not sums:
        print("nothing was carried yet", file=sys.stderr)
    return 0


def show_import(found: Mapping[str, Any]) -> int:
    """Links and policies that would come, or came; on stderr what does not."""
    for link in found["links"]:
        values = "  ".join(f"{name}={plain(value)}" for name, value in link.items() if name != "name")
        print(printable(f"{link['name']:20}  {values}"))
    if found["policies"]:
        print()
        print("\n".join(printable(line) for line in found["policies"].splitlines()))
    for told in found["warnings"]:
        print(printable(told), file=sys.stderr)
    if not found["links"]:
        print("no link would come", file=sys.stderr)
    elif not found["is_applied"]:
        print("nothing was written; --write takes this over", file=sys.stderr)
    return 0


def show_problems(name: str, found: Mapping[str, Any]) -> None:
    """A line an error or a warning, as compilers write them."""
    for kind, word in (("errors", "error"), ("warnings", "warning")):
        for one in found[kind]:
            expected = ", ".join(one.get("expected") or ())
            expected = f" (expected: {expected})" if expected else ""
            place = f"{name}:{one['line']}:{one['column']}" if one["line"] else name
            print(printable(f"{place}: {word}: {one['message']}{expected}"), file=sys.stderr)


def show_explanation(found: Mapping[str, Any]) -> int:
    """The link first, then why."""
    links = ", ".join(f"{one['link']} {one['percent']:g} %" for one in found["links"]) or found["link"] or "no link"
    place = f" (line {found['line']})" if found["line"] else ""
    policy = f"policy {found['policy']}{place}" if found["policy"] else "no policy takes it"
    print(printable(f"{links}: {policy}, {found['class']}"))
    for step in found["steps"]:
        print(printable(f"    {step['policy']:20}  {step['result']:8}  {step['why']}"))
    for note in found["notes"]:
        print(printable(f"  note: {note}"))
    return 0


def show_dry_run(name: str, found: Mapping[str, Any]) -> int:
    """How much each policy would have taken."""
    show_problems(name, found)
    for one in found["policies"]:
        percent = one.get("would_match_percent")
        told = "" if percent is None else f"{percent:6.1f} %"
        print(printable(f"{one['name']:30}  {told}"))
    print(found.get("note") or "no flows were kept yet to try it on", file=sys.stderr)
    return 0


def show_applied(view: Mapping[str, Any]) -> int:
    """What is in force now."""
    state = STATES.get(view["state"], view["state"])
    whose = ", pushed from elsewhere" if view["source"] == "remote" else ""
    whose = ", instead of the pushed ones" if view["is_overridden"] else whose
    print(f"version {view['version']} of {len(view['policies'])} policies is {state}{whose}")
    if view.get("pending"):
        until = view["pending"]["confirm_by"]
        print(f"it goes again at {until} unless you say: remsim policy confirm", file=sys.stderr)
    if view.get("problem"):
        print(printable(view["problem"]["message"]), file=sys.stderr)
        return 1
    return 0


def show_waiting(view: Mapping[str, Any]) -> int:
    """What was given is kept and not in force."""
    one = "local" if view["is_overridden"] else "pushed"
    end = " --end" if view["is_overridden"] else ""
    print(f"the file is kept, but waits: the {one} policies are in force until you say: remsim policy override{end}",
          file=sys.stderr)  # fmt: skip
    return 0


def show_policies(view: Mapping[str, Any]) -> int:
    """A line a policy, in the order in which they are asked."""
    show_applied(view)
    for one in view["policies"]:
        cells = (
            f"{one['name']:24}",
            f"{'open' if one['is_open'] else 'closed':6}",
            f"{number(one['hits'], 'hits'):>12}",
            f"{number(one['hits_percent'], '%'):>6}",
            f"{number(one['flows'], 'flows'):>11}",
            f"{one['match']} -> {one['route']}",
        )
        print(printable("  ".join(cells)))
    for one in view["warnings"]:
        place = f"line {one['line']}: " if one["line"] else ""
        print(printable(f"{place}{one['message']}"), file=sys.stderr)
    return 0


def show_versions(versions: Sequence[Mapping[str, Any]]) -> int:
    """A line a version."""
    for one in versions:
        mark = "*" if one["is_current"] else " "
        count = "" if one["policies"] is None else f"{one['policies']} policies"
        note = f"  {one['note']}" if one["note"] else ""
        print(printable(f"{mark} {one['n']:4}  {one['at']}  {one['source']:6}  {count:14}  {one['actor']}{note}"))
    return 0


def show_presets(presets: Sequence[Mapping[str, Any]]) -> int:
    """A line a preset."""
    for one in presets:
        print(printable(f"{one['name']:20}  {one['title']}"))
        print(printable(f"    {one['help']}"))
    return 0


def show_countries(found: Mapping[str, Any]) -> int:
    """What the list is, and how much of it is used."""
    if not found["is_there"]:
        print("no list of countries was imported; policies by country fit nothing", file=sys.stderr)
        return 0
    used = ", ".join(one["code"] for one in found["countries"] if one["is_used"]) or "none"
    print(printable(f"{len(found['countries'])} countries, used by policies: {used}"))
    for word in ("source", "date", "attribution"):
        if found.get(word):
            print(printable(f"{word}: {found[word]}"))
    if found.get("problem"):
        print(printable(str(found["problem"])), file=sys.stderr)
    return 0


STATES = {"in_force": "in force", "off": "kept, while links are off", "failed": "not in force"}


def number(value: float | None, unit: str) -> str:
    """A number with its unit; nothing is unknown."""
    return "" if value is None else f"{value:.4g} {unit}"


def rate(bps: float | None) -> str:
    """Bits a second."""
    return "" if bps is None else f"{bps / 1e6:.2f} Mbit/s"


def end(host: str, port: int | None) -> str:
    """An end of a flow."""
    return host if port is None else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def plain(value: Any) -> str:
    """A value on one line."""
    return ",".join(str(one) for one in value) if isinstance(value, list) else str(value)
