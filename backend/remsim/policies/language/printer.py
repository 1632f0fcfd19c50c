"""A PolicySet to text: in one form, with its comments; reading it again gives the same set."""

from __future__ import annotations

from remsim.core.routes import Choice
from remsim.policies.language import values, words
from remsim.policies.language.model import (
    NO_COMMENTS,
    AddressSet,
    And,
    Comments,
    Condition,
    FromFile,
    Limit,
    Mac,
    Named,
    Not,
    Or,
    Policy,
    PolicySet,
    Range,
    Span,
    Test,
    Value,
    Window,
)

INDENT = "  "
WIDE = 100
BRACED = ("source", "destination", "domain", "application", "interface", "time")


def print_set(policy_set: PolicySet) -> str:
    """The whole file."""
    blocks = [print_policy(one) if isinstance(one, Policy) else print_addresses(one) for one in policy_set.items]
    if policy_set.after:
        blocks.append("\n".join(_comment(line, "") for line in policy_set.after))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def print_policy(policy: Policy) -> str:
    """One policy with its comments."""
    comments = dict(policy.comments)
    lines = _with(f"policy {_name(policy.name)} {{", comments.get("policy", NO_COMMENTS), "")
    order = policy.order or tuple(words.STATEMENTS)
    said = _statements(policy)
    for key in (*order, *(one for one in words.STATEMENTS if one not in order)):
        if key in said:
            lines += _with(f"{INDENT}{key}: {said[key]}", comments.get(key, NO_COMMENTS), INDENT)
    ending = comments.get("end", NO_COMMENTS)
    lines += [_comment(line, INDENT) for line in ending.before]
    return "\n".join([*lines, "}" + _beside(ending)])


def print_addresses(one: AddressSet) -> str:
    """A set of addresses."""
    comments = dict(one.comments)
    head = comments.get("set", NO_COMMENTS)
    ending = comments.get("end", NO_COMMENTS)
    inner = ", ".join(value_text("source", value) for value in one.values)
    lines = [_comment(line, "") for line in head.before]
    if len(inner) + len(one.name) < WIDE and head.beside is None and not ending.before:
        return "\n".join([*lines, f"set {one.name} {{ {inner} }}".replace("{  }", "{ }") + _beside(ending)])
    lines.append(f"set {one.name} {{" + _beside(head))
    lines += [f"{INDENT}{value_text('source', value)}," for value in one.values]
    lines += [_comment(line, INDENT) for line in ending.before]
    return "\n".join([*lines, "}" + _beside(ending)])


def _statements(policy: Policy) -> dict[str, str]:
    """What each statement says; those that say nothing new are not there."""
    at = policy.fallback_at
    route = policy.choices if at is None else policy.choices[:at]
    said = {"match": condition_text(policy.match)}
    if route != (Choice("any"),) or "route" in policy.order or at is not None or not policy.order:
        said["route"] = choices_text(route)
    if at is not None:
        said["fallback"] = choices_text(policy.choices[at:])
    if policy.priority_word or "priority" in policy.order or policy.priority != words.PRIORITIES["normal"]:
        said["priority"] = policy.priority_word or str(policy.priority)
    if policy.klass is not None:
        said["class"] = policy.klass
    if policy.limits:
        said["limit"] = ", ".join(map(limit_text, policy.limits))
    if policy.dscp is not None:
        said["dscp"] = values.dscp_text(policy.dscp)
    if policy.queue is not None:
        said["queue"] = policy.queue
    if policy.persistence is not None:
        said["persistence"] = policy.persistence
    if not policy.is_enabled or "enabled" in policy.order:
        said["enabled"] = "yes" if policy.is_enabled else "no"
    return said


def condition_text(condition: Condition) -> str:
    """A condition as it stands behind ``match:``."""
    parts = condition.parts if isinstance(condition, And) else (condition,)
    return ", ".join(_or_text(part) for part in parts)


def _or_text(condition: Condition) -> str:
    if isinstance(condition, Or):
        return " or ".join(_and_text(part) for part in condition.parts)
    return _and_text(condition)


def _and_text(condition: Condition) -> str:
    if isinstance(condition, And):
        return " and ".join(_part_text(part) for part in condition.parts)
    return _part_text(condition)


def _part_text(condition: Condition) -> str:
    if isinstance(condition, Test):
        return test_text(condition)
    if isinstance(condition, Not):
        return f"not {_part_text(condition.part)}"
    return f"({condition_text(condition)})"


def test_text(test: Test) -> str:
    """One test."""
    if test.kind == "all":
        return "all"
    if test.kind == "link":
        return _link_text(test)
    word = test.word or test.kind
    if test.kind == "time":
        is_days = all(isinstance(one, Window) and one.days and one.end - one.begin == 1440 for one in test.values)
        word = "day" if is_days else "time"
    texts = [value_text(test.kind, one) for one in test.values]
    is_braced = len(texts) > 1 and test.kind in BRACED
    value = "{ " + ", ".join(texts) + " }" if is_braced else "/".join(texts)
    is_plain = test.operator == "==" and not word.lower().endswith("_country")
    return f"{word} {value}" if is_plain else f"{word} {test.operator} {value}"


def _link_text(test: Test) -> str:
    head = f"link {quoted(test.subject)} {test.asked}"
    if test.asked == "is":
        return head + (" not " if test.operator == "!=" else " ") + "/".join(str(one) for one in test.values)
    number = test.values[0]
    unit = {"latency": "ms", "loss": "%"}.get(test.asked)
    value = f"{number}{unit}" if unit else values.octets_text(number) if isinstance(number, int) else ""
    return f"{head} {test.operator} {value}"


def value_text(kind: str, value: Value) -> str:
    """One value as it is written."""
    if isinstance(value, Range):
        if kind == "dscp":
            return values.dscp_text(value.low)
        return str(value.low) if value.low == value.high else f"{value.low}-{value.high}"
    if isinstance(value, Span):
        return values.span_text(value)
    if isinstance(value, Mac):
        return value.address
    if isinstance(value, Named):
        return f"@{value.name}" if value.name else "router"
    if isinstance(value, FromFile):
        return f"file {quoted(value.name)}"
    if isinstance(value, Window):
        return values.window_text(value)
    if isinstance(value, int):
        return values.rate_text(value) if kind.endswith("rate") else values.octets_text(value)
    return value.upper() if value in words.HEURISTICS else value


def choices_text(choices: tuple[Choice, ...]) -> str:
    """A route with all its choices."""
    return " then ".join(choice_text(one) for one in choices)


def choice_text(choice: Choice) -> str:
    """One choice."""
    if choice.kind == "connection":
        return f"connection {quoted(choice.value)}" + (" strict" if choice.is_strict else "")
    if choice.kind == "balance" and choice.value == "remaining_data":
        return "balance_by_remaining_data()"
    if choice.kind == "overage":
        return "cheapest_overage_rate()"
    word = {kind: word for word, kind in words.CALLS.items()}.get(choice.kind)
    if word is None:
        return choice.kind
    is_word = choice.kind in ("prefer", "balance") or choice.value == "local"
    return f"{word}({choice.value if is_word else quoted(choice.value)})"


def limit_text(limit: Limit) -> str:
    """One limit."""
    way = "" if limit.way == "both" else f"{limit.way} "
    return way + values.rate_text(limit.octets_per_s) + (" each device" if limit.is_each_device else "")


def quoted(text: str) -> str:
    """A text in quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _name(name: str) -> str:
    return name if values.is_name(name) else quoted(name)


def _with(line: str, comments: Comments, indent: str) -> list[str]:
    return [*(_comment(one, indent) for one in comments.before), line + _beside(comments)]


def _beside(comments: Comments) -> str:
    return "" if comments.beside is None else f" {comments.beside}"


def _comment(line: str, indent: str) -> str:
    return indent + line if line else ""
