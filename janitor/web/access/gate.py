"""The gate: whom a password, a token or a session belongs to."""

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from janitor.settings import accounts
from janitor.settings.accounts import Account, Role
from janitor.settings.settings import Settings
from janitor.web.access.attempts import Failures
from janitor.web.access.hosts import is_open

SESSION_SECONDS = 12 * 3600
LOOK_SECONDS = 1.0
"""How often the files of users and tokens are looked at, if there are any."""


@dataclass(frozen=True)
class User:
    """The person or program that makes a request; the audit lines tell `name`."""

    name: str
    role: Role


@dataclass(frozen=True)
class Session:
    """A user who has signed in, until the session ends."""

    user: User
    id: str


class Gate:
    """Who may come in, as the settings say. It is open to everybody if they name no user and no token."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the users and tokens."""
        self._settings, self._clock = settings, clock
        self.is_open = is_open(settings)
        self.url = urlsplit(settings.web_url or "")
        self.refusals = Failures()
        """Requests that were refused: the audit holds so many of them, and no more."""
        self._failures = Failures()
        self._guessing = threading.Lock()
        self._ended: dict[str, float] = {}
        self._given, self._looked_at = self._texts(), clock()
        self._known = _Known.of(*self._given)

    def look_again(self) -> None:
        """Take the users and tokens that their files hold now: what was leaked, and is replaced, is of no more use."""
        if self._clock() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = self._clock()
        if (given := self._texts()) != self._given:
            self._given, self._known = given, _Known.of(*given)

    def _texts(self) -> tuple[str, ...]:
        found = (self._settings.fresh(name) for name in ("WEB_USERS", "WEB_OPERATOR_TOKEN", "WEB_VIEWER_TOKEN"))
        return tuple(secret.get_secret_value() if secret else "" for secret in found)

    @property
    def is_https(self) -> bool:
        """Whether people come by HTTPS, so that cookies may insist on it."""
        return self.url.scheme == "https"

    @property
    def has_tokens(self) -> bool:
        """Whether there is a token to sign in with."""
        return bool(self._known.tokens)

    def knows(self, name: str) -> bool:
        """Whether there is such a user."""
        return name in self._known.users

    def attempt(self, name: str, password: str, address: str) -> tuple[User | None, float]:
        """The user with this password, or without a name with this token; None if there is none.

        The second value is how many seconds to wait before the next attempt. While it is over 0, no password is looked
        at. A wrong password takes as long as the right one.
        """
        if wait := self._failures.wait_seconds(name, address):
            return None, wait
        # One at a time: a guess takes memory, and all guesses that failed before this one must count.
        with self._guessing:
            if wait := self._failures.wait_seconds(name, address):
                return None, wait
            user = self._of_password(name, password) if name else self.of_token(password)
            if user is None:
                self._failures.add(name, address)
            return user, 0.0

    def of_token(self, token: str) -> User | None:
        """Whose token this is."""
        given, found = token.encode("utf-8", "surrogatepass"), None
        for user, known in self._known.tokens.items():
            if hmac.compare_digest(known, given):
                found = found or user
        return found

    def signed(self, user: User) -> str:
        """The value of a cookie that begins a session."""
        return str(self._known.signer.dumps([user.name, secrets.token_urlsafe(12)]))

    def session(self, cookie: str) -> Session | None:
        """The session that a cookie's value belongs to; None if it has ended, or if we did not sign it."""
        known = self._known
        try:
            name, session_id = known.signer.loads(cookie, max_age=SESSION_SECONDS)
        except (BadData, ValueError, TypeError):
            return None
        user = known.users.get(name)
        return None if user is None or session_id in self._ended else Session(user, session_id)

    def end(self, session_id: str) -> None:
        """Let a session end before its time, in this process."""
        now = time.monotonic()
        self._ended = {one: at for one, at in self._ended.items() if at > now - SESSION_SECONDS} | {session_id: now}

    def proof(self, session_id: str) -> str:
        """The token with which a session's forms prove that a change is meant."""
        return hmac.new(self._known.key, f"form {session_id}".encode(), hashlib.sha256).hexdigest()

    def _of_password(self, name: str, password: str) -> User | None:
        known = self._known
        account = known.accounts.get(name) or known.stand_in(name)
        fits = account is not None and account.hash.fits(password)
        return known.users[name] if fits and name in known.accounts else None


@dataclass(frozen=True)
class _Known:
    """The users and tokens of one moment. The key that signs sessions is made of them: if one changes, all end."""

    accounts: dict[str, Account]
    tokens: Mapping[User, bytes]
    users: Mapping[str, User]
    key: bytes
    signer: URLSafeTimedSerializer

    @classmethod
    def of(cls, users: str, operator: str, viewer: str) -> Self:
        """Those that the settings give: an empty text gives none."""
        given = {User("operator token", "operator"): operator, User("viewer token", "viewer"): viewer}
        tokens = {user: token.encode() for user, token in given.items() if token}
        accounts_given = accounts.read(users)
        people = [User(account.name, account.role) for account in accounts_given.values()]
        key = _key(users, tokens.values()) if users or tokens else os.urandom(32)
        digest = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return cls(
            accounts=dict(accounts_given),
            tokens=tokens,
            users={user.name: user for user in (*people, *tokens)},
            key=key,
            signer=URLSafeTimedSerializer(key, salt="session", signer_kwargs=digest),
        )

    def stand_in(self, name: str) -> Account | None:
        """The account whose hash is compared for a name that nobody has, so that both take as long.

        Hashes of different releases take differently long. So not one account stands in for all names: each name always
        has the same, and the key decides which.
        """
        known = list(self.accounts.values())
        place = int.from_bytes(hmac.digest(self.key, name.encode("utf-8", "surrogatepass"), "sha256"))
        return known[place % len(known)] if known else None


def _key(users: str, tokens: Iterable[bytes]) -> bytes:
    given = "\n".join([users, *(str(token) for token in tokens)])
    return hashlib.sha256(f"janitor sessions\n{given}".encode()).digest()
