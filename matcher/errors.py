"""Exceptions of the product.

    MatcherError            exit 1   an operation failed
    ├── InputError          exit 2   a file or an argument cannot be used as it is
    ├── NotFoundError       exit 3   no record with that id
    │   └── HiddenError     exit 3   the person may not know whether there is one
    ├── ConflictError       exit 4   somebody changed the record meanwhile
    ├── PermissionDenied    exit 5   the person may not do or see this
    ├── EncoderError        exit 6   the embedding model cannot be loaded or used
    ├── IndexStaleError     exit 7   the index does not belong to the present data
    └── StoreError          exit 8   the database cannot be opened, migrated or written

A bad argument of a pure function is ``ValueError`` before any work. A bad *row* of an import is a collected
``models.Issue``; a bad *file* raises ``InputError``.
"""

from __future__ import annotations

from typing import ClassVar


class MatcherError(Exception):
    """An operation failed and a person should be told.

    Args:
        user_message: one Chinese sentence saying what happened.
        hint: one Chinese sentence saying what to do next; may be empty.

    ``noted`` says that the refusal stands in the audit log already.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, user_message: str, hint: str = "") -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.hint = hint
        self.noted = False

    def __str__(self) -> str:
        return f"{self.user_message}（{self.hint}）" if self.hint else self.user_message


class InputError(MatcherError):
    exit_code = 2


class NotFoundError(MatcherError):
    exit_code = 3


class HiddenError(NotFoundError):
    pass


class ConflictError(MatcherError):
    exit_code = 4


class PermissionDenied(MatcherError):
    exit_code = 5


class EncoderError(MatcherError):
    exit_code = 6


class IndexStaleError(MatcherError):
    exit_code = 7


class StoreError(MatcherError):
    exit_code = 8
