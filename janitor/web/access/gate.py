"""The gate: whom a password, a token or a session belongs to."""

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from janitor.settings import accounts
from janitor.settings.accounts import Account, Role
from janitor.settings.settings import Settings
from janitor.web.access.attempts import Failures
from janitor.web.access.hosts import is_open

SESSION_SECONDS = 12 * 3600


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

    def __init__(self, settings: Settings) -> None:
        """Read the users and tokens. The key that signs sessions is made of them: if one changes, all sessions end."""
        given = settings.web_users.get_secret_value() if settings.web_users else ""
        operator, viewer = settings.web_operator_token, settings.web_viewer_token
        self._accounts = accounts.read(given)
        self._tokens = {
            **({User("operator token", "operator"): operator.get_secret_value().encode()} if operator else {}),
            **({User("viewer token", "viewer"): viewer.get_secret_value().encode()} if viewer else {}),
        }
        people = [User(account.name, account.role) for account in self._accounts.values()]
        self._users = {user.name: user for user in (*people, *self._tokens)}
        self.is_open = is_open(settings)
        self.url = urlsplit(settings.web_url or "")
        self.refusals = Failures()
        """Requests that were refused: the audit holds so many of them, and no more."""
        self._failures = Failures()
        self._guessing = threading.Lock()
        self._ended: dict[str, float] = {}
        self._key = os.urandom(32) if self.is_open else _key(given, self._tokens.values())
        digest = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._signer = URLSafeTimedSerializer(self._key, salt="session", signer_kwargs=digest)

    @property
    def is_https(self) -> bool:
        """Whether people come by HTTPS, so that cookies may insist on it."""
        return self.url.scheme == "https"

    @property
    def has_tokens(self) -> bool:
        """Whether there is a token to sign in with."""
        return bool(self._tokens)

    def knows(self, name: str) -> bool:
        """Whether there is such a user."""
        return name in self._users

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
        for user, known in self._tokens.items():
            if hmac.compare_digest(known, given):
                found = found or user
        return found

    def signed(self, user: User) -> str:
        """The value of a cookie that begins a session."""
        return str(self._signer.dumps([user.name, secrets.token_urlsafe(12)]))

    def session(self, cookie: str) -> Session | None:
        """The session that a cookie's value belongs to; None if it has ended, or if we did not sign it."""
        try:
            name, session_id = self._signer.loads(cookie, max_age=SESSION_SECONDS)
        except (BadData, ValueError, TypeError):
            return None
        user = self._users.get(name)
        return None if user is None or session_id in self._ended else Session(user, session_id)

    def end(self, session_id: str) -> None:
        """Let a session end before its time, in this process."""
        now = time.monotonic()
        self._ended = {one: at for one, at in self._ended.items() if at > now - SESSION_SECONDS} | {session_id: now}

    def proof(self, session_id: str) -> str:
        """The token with which a session's forms prove that a change is meant."""
        return hmac.new(self._key, f"form {session_id}".encode(), hashlib.sha256).hexdigest()

    def _of_password(self, name: str, password: str) -> User | None:
        account = self._accounts.get(name) or self._stand_in(name)
        fits = account is not None and account.hash.fits(password)
        return self._users[name] if fits and name in self._accounts else None

    def _stand_in(self, name: str) -> Account | None:
        """The account whose hash is compared for a name that nobody has, so that both take as long.

        Hashes of different releases take differently long. So not one account stands in for all names: each name always
        has the same, and the key decides which.
        """
        known = list(self._accounts.values())
        place = int.from_bytes(hmac.digest(self._key, name.encode("utf-8", "surrogatepass"), "sha256"))
        return known[place % len(known)] if known else None


def _key(users: str, tokens: Iterable[bytes]) -> bytes:
    given = "\n".join([users, *(str(token) for token in tokens)])
    return hashlib.sha256(f"janitor sessions\n{given}".encode()).digest()
