"""The fake Garmin as a program, and its own door `/_fake/…`."""

import json
import re
import subprocess
import time
import urllib.request

PEOPLE = {
    "ana@example.org": "ok",
    "ben@example.org": "mfa-email",
    "cem@example.org": "mfa-totp",
    "dia@example.org": "locked",
}
PASSWORD = "ä word of many & 100%!"
# Straight to the fake, whatever proxy the clients are told of.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Fake:
    """One running fake. What it prints tells API keys, app codes and its address."""

    def __init__(self, program: str, *options: str) -> None:
        people = [f"--person={email}:{PASSWORD}:{mood}" for email, mood in PEOPLE.items()]
        command = [program, "--listen=127.0.0.1:0", "--today=2026-10-21", "--days=90", "--activities=60", "--strict"]
        self.process = subprocess.Popen([*command, *people, *options], stdout=subprocess.PIPE, text=True)
        self.keys: dict[str, str] = {}
        self.app_codes: dict[str, str] = {}
        for line in self.process.stdout:
            if known := re.match(r"(\S+): API key (\S+), app code (\d+)", line):
                email, self.keys[email], self.app_codes[email] = known[1], known[2], known[3]
            if listening := re.match(r"listening on http://([\d.]+):(\d+)", line):
                self.address = (listening[1], int(listening[2]))
                break
        else:
            raise SystemExit("fake-garmin did not start")
        # The rest of what it prints is of no use here, but must not fill the pipe.
        import threading

        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    @property
    def url(self) -> str:
        return "http://%s:%d" % self.address

    def ask(self, what: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_fake/{what}", data=data)
        with DIRECT.open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def code(self, email: str) -> str:
        """The code that was sent to somebody last."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if codes := [mail["code"] for mail in self.ask("mail") if mail["user"] == email]:
                return codes[-1]
            time.sleep(0.05)
        raise AssertionError(f"no code was sent to {email}")

    def asked(self, part: str) -> int:
        """How many requests there were whose host, path and query contain this."""
        seen = self.ask("requests")
        return sum(part in f"{one['host']}{one['path']}?{one['query']}" for one in seen)
