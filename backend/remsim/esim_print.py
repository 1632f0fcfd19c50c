"""What ``remsim esim`` prints for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from remsim.modem_print import printable

POLICIES = {"cannot_disable": "cannot be disabled", "cannot_delete": "cannot be deleted"}


def show_holders(holders: Sequence[Mapping[str, Any]], warnings: Sequence[Mapping[str, Any]]) -> int:
    """A block a holder, a line a profile."""
    for holder in holders:
        print(f"{holder['id']:10}  {printable(holder['name'])}  {head_of(holder)}")
        if problem := holder.get("problem"):
            print(f"            {printable(problem['message'])}" + (f"; {problem['hint']}" if problem["hint"] else ""))
        for profile in holder["profiles"]:
            print(f"            {profile_line(profile)}")
        waiting = len(holder.get("notifications") or ())
        if waiting:
            print(f"            {waiting} notifications wait for operators: remsim esim notifications {holder['id']}")
    for warning in warnings:
        print(
            f"{printable(warning['message'])}" + (f" ({warning['hint']})" if warning.get("hint") else ""),
            file=sys.stderr,
        )
    if not holders:
        print("no modem or card reader here can have an eSIM", file=sys.stderr)
    return 0


def head_of(holder: Mapping[str, Any]) -> str:
    """What is known of the card itself."""
    euicc = holder.get("euicc") or {}
    free = euicc.get("free_bytes")
    parts = [
        f"EID {holder['eid']}" if holder.get("eid") else holder["state"],
        None if free is None else f"{free // 1000} kB free",
        f"managed by {holder['managed_by']}" if holder.get("managed_by") else None,
        f"read {holder['read_at']}" if holder.get("read_at") else None,
    ]
    return ", ".join(printable(part) for part in parts if part)


def profile_line(profile: Mapping[str, Any]) -> str:
    """Its state first, as that is looked for."""
    mark = "*" if profile["state"] == "enabled" else " "
    names = " / ".join(printable(name) for name in (profile["name"], profile["provider"]) if name)
    policy = ", ".join(POLICIES.get(one, one) for one in profile.get("policy") or ())
    more = "".join(
        f"  {text}" for text in (profile["class"] if profile["class"] != "operational" else "", policy) if text
    )
    return f"{mark} {profile['id']:14}  {profile['iccid'] or 'no ICCID':21}  {names}{more}"


def show_codes(codes: Sequence[Mapping[str, Any]]) -> int:
    """A line a code, without its secret."""
    for code in codes:
        label = printable(code["label"] or "")
        print(f"{code['id']:10}  {code['state']:8}  {code['smdp_address']:32}  {code['matching_id']:16}  {label}")
    if not codes:
        print("no code is kept", file=sys.stderr)
    return 0


def question_text(question: Mapping[str, Any]) -> str:
    """What was found, before somebody agrees to it."""
    profile = question["profile"]
    free = (question.get("memory") or {}).get("free_bytes")
    lines = [
        "The confirmation code was wrong." if question.get("wrong_code") else None,
        f"Found: {printable(profile.get('profile_name') or profile.get('name') or 'a profile without a name')}",
        f"  of {printable(profile['provider'])}" if profile.get("provider") else None,
        f"  ICCID {profile['iccid']}" if profile.get("iccid") else None,
        f"  it is of class {profile['class']}" if profile.get("class") not in (None, "operational") else None,
        *(f"  it {POLICIES.get(one, one)}" for one in profile.get("policy") or ()),
        f"  {free // 1000} kB are free on the card" if free is not None else None,
    ]
    return "\n".join(line for line in lines if line)
