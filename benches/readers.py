#!/usr/bin/env python3
"""Readers of a live page, as many as asked for: each asks for updates as the page's script does, until the server is gone.

  readers.py PORT COUNT
"""

import http.client
import itertools
import json
import sys
import threading
import time

BEGIN = 10.0
"""Seconds within which the page must be there."""


def read(port, number):
    """Loads the page, then follows it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for attempt in itertools.count():
        try:
            connection.request("GET", "/")
            break
        except ConnectionRefusedError:
            if attempt * 0.05 > BEGIN:
                raise
            time.sleep(0.05)
    page = connection.getresponse().read().decode()
    version, is_over = page.split('data-version="')[1].split('"')[0], False
    while not is_over:
        try:
            connection.request("GET", f"/data?base={version}&reader={number}")
            response = connection.getresponse()
            body = response.read()
        except (http.client.HTTPException, OSError):
            return
        if response.status == 200:
            update = json.loads(body)
            version, is_over = update["version"], update["is_over"]


if __name__ == "__main__":
    port, count = map(int, sys.argv[1:])
    readers = [threading.Thread(target=read, args=(port, number)) for number in range(count)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
