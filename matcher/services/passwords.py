"""Passwords and tokens: made, checked, hashed.

Owns which passwords are refused and how they are hashed: argon2id with argon2-cffi's defaults. Knows no account.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cache

from matcher.errors import InputError

MIN_PASSWORD = 8
MAX_PASSWORD = 200
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_COMMON = frozenset(
    {"12345678", "123456789", "1234567890", "password", "88888888", "11111111", "00000000", "qwertyui"}
)


def new_password() -> str:
    """A first password that is easy to read aloud: 12 characters, none of which looks like another."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def check_new_password(password: str, login: str) -> None:
    """Raises InputError for a password that is too short, too long, or guessed first."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InputError(f"密码要有 {MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符。", "请换一个密码。")
    folded = password.casefold()
    if folded in _COMMON or len(set(password)) < 4 or (login and login.casefold() in folded):
        raise InputError("这个密码太容易猜到。", "请不要用登录名、重复的字符或常见的数字串。")


def hash_password(password: str) -> str:
    """The argon2id hash, with its salt and parameters in it."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def is_password(stored_hash: str, password: str) -> bool:
    """Whether the password is right; takes as long for an empty hash as for any other."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(stored_hash or _nobody(), password) and bool(stored_hash)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return hash_password(secrets.token_hex(16))


def digest(token: str) -> str:
    """What is stored of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()
