"""Starts the fakes and the proxy in front of them, then runs every scene; `run.sh` starts it and says what for."""

import contextlib
import logging
import os
import pathlib
import signal
import sys
import traceback

import front
from fake import Fake

failed = []


def show(chapter: str, scene, fake: Fake) -> None:
    try:
        scene(fake)
        print(f"ok    {chapter}: {scene.__name__.replace('_', ' ')}", flush=True)
    except Exception:
        failed.append(scene)
        print(f"FAIL  {chapter}: {scene.__name__.replace('_', ' ')}", flush=True)
        traceback.print_exc(chain=False)


def lead_to(fake: Fake) -> None:
    """From now on Garmin's hosts are this fake."""
    port = front.start(fake.address, str(WORK / "host.pem"), str(WORK / "host.key"))
    for name in ("HTTPS_PROXY", "https_proxy"):
        os.environ[name] = f"http://127.0.0.1:{port}"


WORK = pathlib.Path(os.environ["WORK"])
for inherited in ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "GARMINTOKENS"):
    os.environ.pop(inherited, None)
for bundle in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ[bundle] = str(WORK / "ca.pem")

# The clients warn of every refusal that a scene provokes.
logging.disable(logging.WARNING)

# Ended from outside, it still ends the fakes.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with contextlib.ExitStack() as stack:
    options = {"ordinary": [], "refusing": ["--refuse-widget-tokens"], "chinese": ["--domain=garmin.cn"], "private": [],
               "logging": ["--habits"]}
    fakes = {}
    for name, more in options.items():
        fakes[name] = Fake(os.environ["FAKE_GARMIN"], *more)
        stack.callback(fakes[name].stop)
    # The clients read the environment when they are imported.
    import account
    import personal

    personal.run(show, fakes["private"], fakes["logging"], lead_to)
    for name in ("GARMIN_PERSONAL_API_BASE_URL", "NO_PROXY"):
        os.environ.pop(name)
    account.run(show, fakes["ordinary"], fakes["refusing"], fakes["chinese"], lead_to)
if failed:
    sys.exit(f"{len(failed)} scenes failed")
print("real clients sign in to the fake Garmin, refresh, and read what it serves")
