#!/bin/sh
# Shows that the fake Garmin is a Garmin to clients that we did not write: the Python library `garminconnect`, Garmin's
# own `garmin-connect-personal-api-python`, and `gcpapi-sync` sign in to it with and without a code, refresh, and read.
#
#     tests/clients/run.sh            (FAKE_GARMIN=/path/to/fake-garmin: do not build it)
#
# Opt-in: it fetches the clients from PyPI at run time, at the versions below, into a directory that it removes again;
# nothing of theirs is kept here. It wants python 3.12 or newer (PYTHON=/path/to/python3 to choose one), openssl and
# PyPI. Where one of them is absent it says so and ends with 77, which test runners read as "skipped". 0: all was well.
#
# The clients run unchanged and believe that they speak to Garmin: their HTTPS goes through `front.py`, an HTTPS proxy
# on a loopback port (HTTPS_PROXY) that answers for Garmin's hosts with a certificate of an authority made for this run
# (SSL_CERT_FILE, REQUESTS_CA_BUNDLE), and leads the bytes to the fake, which knows its hosts by name. The proxy knows
# no other way, so nothing reaches the internet. The two clients of the Personal tier are run that way, and once more at
# GARMIN_PERSONAL_API_BASE_URL. Two things are changed in `garminconnect`: its pauses before a form (2 to 20 s) are
# left out, and one scene sends a token of garmin.cn to garmin.com on purpose, to see it refused.
set -eu

CLIENTS="garminconnect==0.3.20 garmin-connect-personal-api-python==1.0.0 gcpapi-sync==0.1.20261022"

here=$(cd "$(dirname "$0")" && pwd)

skip() {
    printf '%s\n' "SKIPPED tests/clients/run.sh: $1" "        Nothing was shown about third-party clients." >&2
    exit 77
}

python=
for name in ${PYTHON:-python3.14 python3.13 python3.12 python3}; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || skip "no python 3.12 or newer with venv, which garminconnect wants (set PYTHON)"
command -v openssl >/dev/null || skip "no openssl to make a throwaway authority with"

if [ -z "${FAKE_GARMIN:-}" ]; then
    command -v cargo >/dev/null || skip "no cargo to build fake-garmin with (set FAKE_GARMIN)"
    (cd "$here/../.." && cargo build --quiet -p garminsync-test-support --bin fake-garmin)
    target=${CARGO_TARGET_DIR:-$here/../../target}
    FAKE_GARMIN=$target/debug/fake-garmin
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

"$python" -m venv "$work/venv"
# shellcheck disable=SC2086 # one word a client
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check $CLIENTS 2>"$work/pip.log" ||
    skip "the clients could not be installed from PyPI: $(tail -n 1 "$work/pip.log")"

# One authority, and one certificate of it for every host of Garmin's that is played.
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=throwaway authority" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=garmin.com" -keyout host.key -out host.csr 2>/dev/null
printf '%s\n' "subjectAltName=DNS:*.garmin.com,DNS:*.garmin.cn,DNS:personal.connectapi.garmin.com" \
    "basicConstraints=CA:FALSE" "authorityKeyIdentifier=keyid" "extendedKeyUsage=serverAuth" >host.ext
openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile host.ext -out host.pem 2>/dev/null

# A home of its own: some of the clients keep keys and tokens below it.
mkdir home
HOME=$work/home FAKE_GARMIN=$FAKE_GARMIN WORK=$work PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" "$here/drive.py"
