"""Passwords and keys in an experiment: they are left out of whatever is written, shown or shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gansearch.experiment.words import texts

MASK = "***"
"""What stands for a secret."""
_NAMES = r"password|passwd|secret|credential|(?:api|access|private)[_-]?key|(?:access|auth|session)[_-]?token"
_USER = re.compile(r"(?i)((?::|%3a)(?:/|%2f){2})[^/\s'\"<>]*(?:@|%40)")
"""The user and the password of a URL, which may itself be quoted in another one."""
_QUERY = re.compile(r"(?i)([?&;][\w.-]*(?:token|key|signature|sig|pwd)[\w.-]*=)[^&;\s'\"<>]+")
_VALUE = re.compile(rf"(?i)((?:{_NAMES})[\w.-]*=)[^&;,\s'\"<>()]+")
"""As in the text `host=db password=secret`."""
_WORDS = (
    *("passw", "secret", "credential", "_key", "-key", "apikey", "accesskey", "privatekey"),
    *("_token", "-token", "accesstoken", "authtoken", "sessiontoken"),
)
"""One of them is in each of the names."""
_NAME = re.compile(rf"(?i){_NAMES}")
VARIABLE = re.compile(r"(?i)key|token|secret|passw|credential")
"""The same among the names of variables, under `env:` and in the environment of a run."""


def masked(text: str) -> str:
    """Return a text without the passwords of the URLs in it, and without values that are named as secrets."""
    text = _QUERY.sub(rf"\1{MASK}", _USER.sub(rf"\1{MASK}@", text))
    lower = text.lower()  # a page of 8 MB takes .1 s so, and seconds by the pattern
    return _VALUE.sub(rf"\1{MASK}", text) if any(word in lower for word in _WORDS) else text


def masked_data(data: Any, name: str = "") -> Any:
    """Return plain data without secrets: `masked` texts, and none under a name such as `password`, or `env: HF_TOKEN`.

    A text of `env:` in which a trial's value stands, `{name}`, is none.
    """
    if isinstance(data, dict) and name == "env":
        return {key: MASK if _is_secret(key, value) else masked_data(value, str(key)) for key, value in data.items()}
    if isinstance(data, dict):
        return {key: masked_data(value, str(key)) for key, value in data.items()}
    if isinstance(data, list):
        return [masked_data(value, name) for value in data]
    if isinstance(data, str):
        return MASK if data and _NAME.search(name) else masked(data)
    return data


def _is_secret(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value and VARIABLE.search(name)) and not re.search(r"(?<!\{)\{\w", value)


def left_out(data: Any) -> Iterator[str]:
    """Yield the paths at which plain data have a mask in place of a secret."""
    for path, text in texts(data):
        if text == MASK or f"{MASK}@" in text or f"={MASK}" in text:
            yield path
