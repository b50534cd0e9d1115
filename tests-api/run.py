"""Holds the admin API of the real program to its own OpenAPI document.

Starts `ml-connector demo`, whose sandbox has records, vendors and holds, waits until everything is at rest, makes a token
for an admin as the command line does, and has schemathesis call every path. Fails on a 5xx, on a status that is not in the
document, on an answer that does not look as the document says, and on a call that the document forbids and the API takes.
What the document allows may still be refused: it cannot say which values go together.
"""

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("ML_CONNECTOR", ROOT / "target" / "debug" / "ml-connector"))
SCHEMATHESIS = ROOT / "target" / "tools" / "api" / "bin" / "schemathesis"
READY_SECONDS = 120
EXAMPLES = 8
SEED = 1
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "ignored_auth",
        "unsupported_method",
        "allow_header_conformance",
    ]
)


def watch(stream, found, ready):
    """Reads what the demo says until it only goes on serving."""
    for line in stream:
        for name, pattern in {
            "console": r"^ +(http://\S+)/welcome\?token=",
            "config": r"--config (\S+) explain",
        }.items():
            if match := re.search(pattern, line):
                found[name] = match.group(1)
        if line.startswith("still serving"):
            ready.set()


def command(config, *arguments):
    """Runs a command on the demo's configuration and gives back its JSON."""
    done = subprocess.run(
        [PROGRAM, "--config", config, "--json", *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def known_records(base, secret):
    """Ids of a few records of each kind, so that not every call is about something unknown."""
    ids = []
    for query in ("hold=any", "stage=exported"):
        request = urllib.request.Request(f"{base}/connections/demo/records?{query}&limit=5")
        request.add_header("Authorization", f"Bearer {secret}")
        with urllib.request.urlopen(request) as answer:
            ids += [record["id"] for record in json.load(answer)["records"]]
    return ids


def call_everything(base, secret, records):
    """Lets schemathesis loose."""
    return subprocess.run(
        [
            SCHEMATHESIS,
            "run",
            f"{base}/openapi.json",
            "--no-color",
            "--header",
            f"Authorization: Bearer {secret}",
            "--phases",
            "examples,coverage,fuzzing",
            "--checks",
            CHECKS,
            "--max-examples",
            str(EXAMPLES),
            "--seed",
            str(SEED),
            "--generation-database",
            "none",
            "--request-timeout",
            "20",
            "--warnings",
            "off",
        ],
        cwd=ROOT / "target",
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(Path(__file__).resolve().parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KNOWN_RECORDS": " ".join(records),
        },
    ).returncode


def main():
    demo = subprocess.Popen(
        [PROGRAM, "demo", "--records", "120"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found, ready = {}, threading.Event()
        threading.Thread(target=watch, args=(demo.stderr, found, ready), daemon=True).start()
        if not ready.wait(READY_SECONDS):
            sys.exit(f"the demo did not come to rest within {READY_SECONDS} seconds: {found}")
        command(found["config"], "users", "add", "tester", "--role", "admin", "--by", "test")
        made = command(
            found["config"], "tokens", "create", "--user", "tester", "--role", "admin", "--expires", "1", "--by", "test"
        )
        base = f"{found['console']}/api/v1"
        return call_everything(base, made["secret"], known_records(base, made["secret"]))
    finally:
        demo.terminate()
        demo.wait(30)


if __name__ == "__main__":
    sys.exit(main())
