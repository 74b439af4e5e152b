"""Runs inside its own network and mount namespaces: silent_name_server.py SWARMLINE STREAM DIRECTORY.

A UDP socket on 127.0.0.1:53 receives questions and answers none, /etc/resolv.conf names it, and 1,000 users look up the
address of a host. After 3 s it sends SIGTERM. Prints the results as JSON; exits with 99 if the set-up fails.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

binary, stream, directory = sys.argv[1:]


def set_up(*command):
    """Runs a set-up command; exits with 99 and the reason if it fails."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{command[0]} failed: {done.stderr.strip()}", file=sys.stderr)
        sys.exit(99)


resolv = Path(directory) / "resolv.conf"
resolv.write_text("nameserver 127.0.0.1\n")
set_up("ip", "link", "set", "lo", "up")
set_up("mount", "--bind", resolv, "/etc/resolv.conf")

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
    silent.bind(("127.0.0.1", 53))
    silent.setblocking(False)
    command = [binary, "run", "-H", "http://slow.example.test", "-u", "1000", "-r", "100000", "--stop-timeout", "1s",
               "--interval", "1s", "--telemetry", stream, "/"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        time.sleep(3)
        asked_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=20)
        seconds = time.monotonic() - asked_at
    finally:
        process.kill()
    questions = 0
    try:
        while silent.recv(2048):
            questions += 1
    except BlockingIOError:
        pass

print(json.dumps({"code": process.returncode, "seconds": seconds, "questions": questions,
                  "stderr": stderr.decode(errors="replace")}))
