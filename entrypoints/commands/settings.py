"""`counterfoil settings`: what the environment may say, and what it does say."""

import os
import re
from typing import Any

from msgspec import Struct
from pydantic import SecretStr
from rich.console import Console

from entrypoints.commands.acting import AsJson
from entrypoints.commands.printing import harmless, print_json
from entrypoints.settings import Settings

MASK = "********"


class Setting(Struct, frozen=True):
    """One variable. A secret's `value` is masked, and so is what stands before the @ of an address."""

    variable: str
    value: str | None
    default: str | None
    is_set: bool
    secret: bool
    meaning: str


def settings(as_json: AsJson = False) -> None:
    """Show every setting: its variable, what it is now, its default, and what it means. Secrets are masked.

    Settings are read from the environment; an empty variable is as good as none.
    """
    listed = settings_listed(Settings.read())
    if as_json:
        print_json({"data": listed})
        return
    console = Console(highlight=False, markup=False)
    for setting in listed:
        value = setting.value if setting.value is not None else "(not set)"
        usual = f"default {setting.default}" if setting.default is not None else "no default"
        origin = usual if setting.is_set else "the default" if setting.value is not None else "no default"
        console.print(setting.variable, style="bold", end="", soft_wrap=True)
        console.print(f" = {harmless(value)}  ({harmless(origin)})", soft_wrap=True)
        console.print(f"    {setting.meaning}", soft_wrap=True)


def settings_listed(read: Settings) -> list[Setting]:
    """Every setting, in the order in which they are declared."""
    listed = []
    for name, field in Settings.model_fields.items():
        variable, value = str(field.validation_alias), getattr(read, name)
        listed.append(
            Setting(
                variable=variable,
                value=_shown(value),
                default=_shown(field.default),
                is_set=bool(os.environ.get(variable)),
                secret="SecretStr" in str(field.annotation),
                meaning=field.description or "",
            )
        )
    return listed


def _shown(value: Any) -> str | None:  # noqa: ANN401
    if value is None:
        return None
    return MASK if isinstance(value, SecretStr) else re.sub(r"//[^/]*@", f"//{MASK}@", str(value))
