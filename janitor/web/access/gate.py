"""The gate: whom a password, a token or a session belongs to, and when somebody has guessed too often."""

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from janitor.settings import accounts
from janitor.settings.accounts import BLOCK, COST, LANES, Hash, Role
from janitor.settings.settings import Settings

SESSION_SECONDS = 12 * 3600
WINDOW_SECONDS = 300.0
FAILURES = {"user and address": 5, "address": 20, "user": 20}
"""How many sign-ins may fail within five minutes before the next ones are refused unseen."""
MOST_KEYS = 10_000
_DECOY = Hash(COST, BLOCK, LANES, bytes(16), bytes(32))


@dataclass(frozen=True)
class User:
    """Whoever makes a request; `name` is what the audit lines say."""

    name: str
    role: Role


@dataclass(frozen=True)
class Session:
    """A user who has signed in, until the session ends."""

    user: User
    id: str


class Failures:
    """Sign-ins that failed lately, by who tried and from where."""

    def __init__(self) -> None:
        """Nobody has failed yet."""
        self._times: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def begin(self, user: str, address: str, now: float) -> float:
        """Count an attempt as failed until `succeeded` takes it back; seconds to wait where it may not be made."""
        keys = self._keys(user, address)
        with self._lock:
            wait = max(self._wait(key, now) for key in keys)
            if wait <= 0:
                for key in keys:
                    self._times.setdefault(key, deque()).append(now)
                self._forget(now)
            return max(0.0, wait)

    def succeeded(self, user: str, address: str) -> None:
        """Take back what `begin` has counted last."""
        with self._lock:
            for key in self._keys(user, address):
                if times := self._times.get(key):
                    times.pop()

    def _keys(self, user: str, address: str) -> Sequence[tuple[str, str]]:
        return [("user and address", f"{address} {user}"), ("address", address), ("user", user)]

    def _wait(self, key: tuple[str, str], now: float) -> float:
        times = self._times.get(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return times[0] + WINDOW_SECONDS - now if len(times) >= FAILURES[key[0]] else 0.0

    def _forget(self, now: float) -> None:
        if len(self._times) > MOST_KEYS:
            over = {key: times for key, times in self._times.items() if times and times[-1] > now - WINDOW_SECONDS}
            self._times = dict(list(over.items())[-MOST_KEYS // 2 :])


class Gate:
    """What the settings say of who may come in; open to everybody where they name no user and no token."""

    def __init__(self, settings: Settings) -> None:
        """Read the users and tokens; sessions are signed with a key made of them, and end when one of them changes."""
        users, tokens = settings.web_users, (settings.web_operator_token, settings.web_viewer_token)
        self._accounts = accounts.read(users.get_secret_value()) if users else {}
        roles: tuple[Role, Role] = ("operator", "viewer")
        self._tokens = {
            User(f"{role} token", role): token.get_secret_value().encode()
            for role, token in zip(roles, tokens, strict=True)
            if token
        }
        self.is_open = not self._accounts and not self._tokens
        self._users = {account.name: User(account.name, account.role) for account in self._accounts.values()}
        self._users |= {user.name: user for user in self._tokens}
        self.url = urlsplit(settings.web_url or "")
        self.failures, self.refusals = Failures(), Failures()
        self._guessing = threading.Lock()
        self._ended: dict[str, float] = {}
        given = "\n".join([users.get_secret_value() if users else "", *(str(one) for one in self._tokens.values())])
        self._key = os.urandom(32) if self.is_open else hashlib.sha256(f"janitor sessions\n{given}".encode()).digest()
        digest = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._signer = URLSafeTimedSerializer(self._key, salt="session", signer_kwargs=digest)

    @property
    def is_https(self) -> bool:
        """Whether people come by HTTPS, so that cookies may insist on it."""
        return self.url.scheme == "https"

    def of_password(self, name: str, password: str) -> User | None:
        """Whose password this is; without a name, whose token. None takes as long as a password that fits."""
        if not name:
            return self.of_token(password)
        account = self._accounts.get(name)
        # One at a time: each takes 8 MB.
        with self._guessing:
            fits = (account.hash if account else _DECOY).fits(password)
        return self._users[account.name] if account and fits else None

    def of_token(self, token: str) -> User | None:
        """Whose token this is."""
        given, found = token.encode("utf-8", "surrogatepass"), None
        for user, known in self._tokens.items():
            if hmac.compare_digest(known, given):
                found = found or user
        return found

    @property
    def has_tokens(self) -> bool:
        """Whether there is a token to sign in with."""
        return bool(self._tokens)

    def knows(self, name: str) -> bool:
        """Whether there is such a user."""
        return name in self._users

    def signed(self, user: User) -> str:
        """A cookie's value that begins a session."""
        return str(self._signer.dumps([user.name, secrets.token_urlsafe(12)]))

    def session(self, cookie: str) -> Session | None:
        """The session that a cookie's value belongs to; None where it has ended, or is nobody's."""
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
        """The token with which the forms of a session show that a change is meant."""
        return hmac.new(self._key, f"form {session_id}".encode(), hashlib.sha256).hexdigest()
