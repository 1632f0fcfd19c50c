"""Usage reports as people and spreadsheets read them: plain text for a mail, CSV for a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from remsim.telemetry.export import csv_line, safe_text
from remsim.telemetry.usage import Usage

COLUMNS = ("sim", "name", "cycle_from", "cycle_to", "day", "modem", "interface", "rx_bytes", "tx_bytes")


def report_text(report: Mapping[str, Any], router: str) -> str:
    """One SIM's cycle as lines of text; ``router`` says which router tells it."""
    name = report["name"] or report["sim"]
    lines = [
        f"Data used by {name}",
        f"{report['from']} to {report['to']} (days of UTC), {router}",
        "",
        f"Received   {amount(report['rx_bytes'])}",
        f"Sent       {amount(report['tx_bytes'])}",
        f"Counted    {amount(report['used_bytes'])}" + (" (received only)" if report["counts"] == "rx" else ""),
    ]
    if report["cap_bytes"] is not None:
        share = "" if report["used_percent"] is None else f", {report['used_percent']:.1f} % used"
        lines.append(f"Cap        {amount(report['cap_bytes'])}{share}")
    if report["projected_bytes"] is not None:
        lines.append(f"Projected  {amount(report['projected_bytes'])} ({report['projection']})")
    if report["cost"] is not None:
        lines.append(f"Cost       {report['cost']:.2f} {report['currency']}".rstrip())
    if report["projected_cost"] not in (None, report["cost"]):
        lines.append(f"Cost then  {report['projected_cost']:.2f} {report['currency']}".rstrip())
    if report["note"]:
        lines.append(f"Note       {report['note']}")
    lines += table("Modem and interface", report["per_place"], ("modem", "interface"))
    lines += table("Day", report["per_day"], ("day",))
    return "\n".join(lines) + "\n"


def table(title: str, rows: Iterable[Mapping[str, Any]], names: tuple[str, ...]) -> list[str]:
    """Rows as columns of text."""
    shown = [(" ".join(filter(None, (str(row[name]) for name in names))), row) for row in rows]
    if not shown:
        return []
    width = max(len(title), *(len(label) for label, _ in shown))
    lines = ["", f"{title:<{width}}  {'Received':>12}  {'Sent':>12}"]
    for label, row in shown:
        lines.append(f"{label:<{width}}  {amount(row['rx_bytes']):>12}  {amount(row['tx_bytes']):>12}")
    return lines


def amount(count: int | None) -> str:
    """Bytes in the unit that suits, decimal as plans have it."""
    if count is None:
        return "unknown"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if round(value, 1) < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def csv_of_reports(usage: Usage, reports: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """CSV, a row a day, modem and interface of each SIM's cycle."""
    yield csv_line(COLUMNS)
    for report in reports:
        head = (report["sim"], safe_text(report["name"]), report["from"], report["to"])
        for row in usage.query(report["from"], report["to"], sim=report["sim"]):
            place = (row["day"], safe_text(row["modem"]), safe_text(row["interface"]))
            yield csv_line((*head, *place, str(row["rx_bytes"]), str(row["tx_bytes"])))
