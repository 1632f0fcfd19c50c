"""Forms: the one marshmallow schema that checks a body and describes itself to whoever draws it.

As JSON Schema ``title`` is a field's label, ``description`` its help, ``oneOf`` of ``const`` and ``title`` its choices,
``default`` what is in force now, ``format: password`` what nobody may read over a shoulder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, missing, validate
from marshmallow import fields as ma

YES = ("1", "on", "true", "yes", "enabled")
NO = ("0", "off", "false", "no", "disabled")
"""The last of each is UCI's."""
LONGEST_LIST = 512


class Form(Schema):
    """A body, JSON or form. Unknown fields are an error, because nobody would notice a typo."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "is no field of this form", "type": "is not an object"}

    def on_bind_field(self, field_name: str, field_obj: ma.Field[Any]) -> None:
        """Words of ours for what every field can lack."""
        field_obj.error_messages |= {"required": "is needed", "null": "is needed"}


class StrictNumber(ma.Field[float]):
    """A finite number within bounds, from JSON or from a form."""

    def __init__(self, minimum: float, maximum: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum, self.maximum = minimum, maximum

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", value, re.ASCII):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return float(value)
        raise ValidationError(f"is not a number from {self.minimum:g} to {self.maximum:g}")


class Whole(ma.Field[int]):
    """A whole number within bounds."""

    def __init__(self, minimum: int, maximum: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum, self.maximum = minimum, maximum

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,17}", value, re.ASCII):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return value
        raise ValidationError(f"is not a whole number from {self.minimum} to {self.maximum}")


class Flag(ma.Field[bool]):
    """Yes or no; a form's check box is ``1`` or ``on``."""

    json = {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = value.lower() if isinstance(value, str) else ""
        if word in YES or word in NO:
            return word in YES
        raise ValidationError("is neither yes nor no")


class Text(ma.Field[str]):
    """One line of printable text; ``pattern`` must fit the whole of it, ``told`` says what is wrong if it does not."""

    def __init__(
        self, shortest: int, longest: int, *, pattern: str | None = None, told: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.shortest, self.longest, self.pattern, self.told = shortest, longest, pattern, told

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        made: dict[str, Any] = {"type": "string", "minLength": self.shortest, "maxLength": self.longest}
        if self.pattern is not None:
            made["pattern"] = f"^(?:{self.pattern})$"
            if self.told is not None:
                made["x-told"] = self.told
        return made

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not (value.isprintable() or not value):
            raise ValidationError("is not one line of text")
        if not self.shortest <= len(value) <= self.longest:
            raise ValidationError(f"has not {self.shortest} to {self.longest} characters")
        if self.pattern is not None and value and not re.fullmatch(self.pattern, value, re.ASCII):
            raise ValidationError(self.told or "is not of the right form")
        return value


NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no file can hold: NUL, and halves of characters, which JSON may name."""


class Long(ma.Field[str]):
    """Text that may have several lines."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return {"type": "string", "maxLength": self.longest}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or len(value) > self.longest or NO_TEXT.search(value):
            raise ValidationError(f"is not text of up to {self.longest} characters")
        return value


class Choice(ma.Field[Any]):
    """One of ``choices``: value to label. A form gives the value as text."""

    def __init__(self, choices: Mapping[Any, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = dict(choices)

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return {"oneOf": options_of(self.choices)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return one_of(self.choices, value)


class Several(ma.Field[list[Any]]):
    """Some of ``choices``, each once, in their order; from a form as repeated fields or parted by commas."""

    def __init__(self, choices: Mapping[Any, str], *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices, self.least = dict(choices), least

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON Schema."""
        items = {"oneOf": options_of(self.choices)}
        return {"type": "array", "items": items, "uniqueItems": True, "minItems": self.least}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            raise ValidationError("is not a list")
        parts = [part for one in value for part in (one.split(",") if isinstance(one, str) else [one])]
        if len(parts) > LONGEST_LIST:
            raise ValidationError(f"has more than {LONGEST_LIST} entries")
        wanted = {one_of(self.choices, part.strip() if isinstance(part, str) else part) for part in parts if part != ""}
        if len(wanted) < self.least:
            raise ValidationError(f"needs at least {self.least}")
        return [choice for choice in self.choices if choice in wanted]


def one_of(choices: Mapping[Any, str], value: Any) -> Any:
    """The choice a value names, or ``ValidationError`` with what there is."""
    for choice in choices:
        if (choice == value and type(choice) is type(value)) or (isinstance(value, str) and value == str(choice)):
            return choice
    shown = ", ".join(str(choice) for choice in choices) or "nothing to choose here"
    raise ValidationError(f"{str(value)[:40]!r} is not one of: {shown}")


def options_of(choices: Mapping[Any, str]) -> list[dict[str, Any]]:
    """Choices as JSON Schema has them."""
    return [{"const": value, "title": label} for value, label in choices.items()]


def object_schema(schema: Schema, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A schema as JSON Schema, its fields in their order, advanced ones last; ``current`` are the values in force."""
    ordered = sorted(schema.fields.items(), key=lambda one: bool(one[1].metadata.get("advanced")))
    properties = {field.data_key or name: json_schema(field) for name, field in ordered}
    for name, value in (current or {}).items():
        if name in properties and value is not None:
            properties[name]["default"] = value
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.data_key or name for name, field in schema.fields.items() if field.required],
        "properties": properties,
    }


def json_schema(field: ma.Field[Any]) -> dict[str, Any]:
    """One field as JSON Schema: our own types say it themselves, strings by their validators."""
    made: dict[str, Any] = dict(getattr(field, "json", {"type": "string"}))
    for rule in field.validators:
        if isinstance(rule, validate.Length):
            made |= {"minLength": rule.min, "maxLength": rule.max}
        elif isinstance(rule, validate.OneOf):
            made["enum"] = list(rule.choices)
    if field.load_default is not missing:
        made["default"] = field.load_default
    for told, word in (("label", "title"), ("help", "description"), ("unit", "x-unit")):
        if told in field.metadata:
            made[word] = field.metadata[told]
    if field.metadata.get("advanced"):
        made["x-advanced"] = True
    if field.metadata.get("secret"):
        made |= {"format": "password", "writeOnly": True}
    return made


def secrets_of(schema: Schema) -> frozenset[str]:
    """Names of the fields whose values nobody writes down: passwords, and what people write to each other (private)."""
    hidden = ("secret", "private")
    return frozenset(name for name, field in schema.fields.items() if any(map(field.metadata.get, hidden)))
