"""Records a tab of Chromium as its DevTools do for "Save all as HAR with content".

The export itself is a part of the DevTools' user interface, which a headless browser does not have. This reads the same events of
the DevTools protocol, and asks for the same bodies, and writes the same fields: `_resourceType`, `redirectURL`, `pageref`,
`_webSocketMessages`, header fields as they were sent (extra info), and `postData` with text that lacks the content of files.
"""

import datetime
import json

from harness import Failed


class Recorder:
    """The exchanges of a tab, from the events that its browser has kept."""

    def __init__(self, page):
        self.page = page
        self.entries = []
        self.open = {}
        self.sockets = {}
        self.extra = {"request": {}, "response": {}}
        self.pages = 0
        self.seen = 0

    def read(self):
        """Takes the events that have arrived, and the bodies of the exchanges that have ended."""
        events = self.page.browser.events
        while self.seen < len(events):
            event = events[self.seen]
            self.seen += 1
            handler = getattr(self, "on_" + event.get("method", "").rpartition(".")[2], None)
            if handler and event.get("sessionId") == self.page.session:
                handler(event["params"])

    def on_requestWillBeSent(self, event):
        """A request, or the next hop of one that was redirected."""
        request, number = event["request"], event["requestId"]
        if "redirectResponse" in event:
            self.answered(number, event["redirectResponse"], event["timestamp"])
            self.open.pop(number)
        if event["type"] == "Document" and "redirectResponse" not in event:
            self.pages += 1
        started = datetime.datetime.fromtimestamp(event["wallTime"], datetime.timezone.utc)
        entry = {
            "_resourceType": event["type"].lower(), "_began": event["timestamp"], "_number": number,
            "pageref": f"page_{self.pages}", "startedDateTime": started.isoformat().replace("+00:00", "Z"), "time": 0,
            "request": {"method": request["method"], "url": request["url"].split("#")[0], "httpVersion": "HTTP/1.1", "cookies": [],
                        "headers": pairs(request["headers"]), "queryString": [], "headersSize": -1, "bodySize": 0},
            "response": {"status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": [], "content":
                         {"size": 0, "mimeType": "x-unknown"}, "redirectURL": "", "headersSize": -1, "bodySize": -1},
            "cache": {}, "timings": {"send": 0, "wait": 0, "receive": 0},
        }
        if request.get("hasPostData"):
            kind = next((value for name, value in request["headers"].items() if name.lower() == "content-type"), "")
            text = self.post_data(number, request)
            entry["request"] |= {"bodySize": len(text or ""), "postData": {"mimeType": kind} | ({"text": text} if text else {})}
        self.open[number] = entry
        self.entries.append(entry)
        self.add_extra("request", number, entry)

    def post_data(self, number, request):
        """The text of a body, as far as the browser has it: it has none of a form with files that loads a page."""
        if "postData" in request:
            return request["postData"]
        try:
            return self.page.ask("Network.getRequestPostData", requestId=number)["postData"]
        except Failed:
            return None

    def on_requestPaused(self, event):
        """A request that waits until its body has been read: the browser drops bodies with files when there is a response."""
        self.page.ask("Fetch.continueRequest", requestId=event["requestId"])

    def on_requestWillBeSentExtraInfo(self, event):
        """The header fields that were sent."""
        self.extra["request"].setdefault(event["requestId"], []).append(event["headers"])

    def on_responseReceivedExtraInfo(self, event):
        """The header fields that were received."""
        self.extra["response"].setdefault(event["requestId"], []).append(event["headers"])

    def add_extra(self, side, number, entry):
        """Marks an entry as one that has extra info, which may arrive before or after it."""
        entry.setdefault("_extra", []).append((side, sum(known["_number"] == number for known in self.entries) - 1))

    def answered(self, number, response, ended):
        """Fills in the response."""
        entry = self.open[number]
        entry["time"] = (ended - entry["_began"]) * 1000
        location = next((value for name, value in response["headers"].items() if name.lower() == "location"), "")
        entry["response"] |= {"status": response["status"], "statusText": response["statusText"], "redirectURL": location,
                              "headers": pairs(response["headers"])}
        entry["response"]["content"]["mimeType"] = response["mimeType"]
        if response.get("fromDiskCache"):
            entry["_fromCache"] = "disk"
        self.add_extra("response", number, entry)

    def on_responseReceived(self, event):
        """The response's head."""
        if event["requestId"] in self.open:
            self.answered(event["requestId"], event["response"], event["timestamp"])

    def on_requestServedFromCache(self, event):
        """The response comes from memory."""
        self.open[event["requestId"]]["_fromCache"] = "memory"

    def on_loadingFinished(self, event):
        """The response's end."""
        entry = self.open.pop(event["requestId"], None)
        if entry is None:
            return
        entry["time"] = (event["timestamp"] - entry["_began"]) * 1000
        try:
            body = self.page.ask("Network.getResponseBody", requestId=event["requestId"])
        except Failed:
            # Left by a page that is gone: DevTools show no content either.
            return
        content = entry["response"]["content"]
        content |= {"text": body["body"], "size": len(body["body"])} | ({"encoding": "base64"} if body["base64Encoded"] else {})

    def on_loadingFailed(self, event):
        """There is no response."""
        entry = self.open.pop(event["requestId"], None)
        if entry:
            entry["response"]["_error"] = event["errorText"]

    def on_webSocketCreated(self, event):
        """A WebSocket."""
        self.sockets[event["requestId"]] = event["url"]

    def on_webSocketWillSendHandshakeRequest(self, event):
        """Its request."""
        number = event["requestId"]
        self.on_requestWillBeSent({"requestId": number, "type": "WebSocket", "timestamp": event["timestamp"],
                                   "wallTime": event["wallTime"],
                                   "request": {"method": "GET", "url": self.sockets[number], "headers": event["request"]["headers"]}})
        self.open[number]["_webSocketMessages"] = []

    def on_webSocketHandshakeResponseReceived(self, event):
        """Its response."""
        response = event["response"] | {"mimeType": ""}
        self.answered(event["requestId"], response, event["timestamp"])

    def on_webSocketFrameReceived(self, event):
        """A message."""
        frame = event["response"]
        message = {"type": "receive", "time": event["timestamp"], "opcode": frame["opcode"], "data": frame["payloadData"]}
        self.open[event["requestId"]]["_webSocketMessages"].append(message)

    def har(self):
        """The recording."""
        self.read()
        entries = []
        for entry in self.entries:
            entry = dict(entry)
            for side, number in entry.pop("_extra", []):
                known = self.extra[side].get(entry["_number"], [])
                if number < len(known):
                    entry[side]["headers"] = pairs(known[number])
            entries.append({key: value for key, value in entry.items() if key not in ("_began", "_number")})
        creator = {"name": "swarmline tests, by the DevTools protocol", "version": "1"}
        return json.dumps({"log": {"version": "1.2", "creator": creator, "pages": [], "entries": entries}}, indent=1)


def pairs(headers):
    """Header fields as a HAR has them."""
    return [{"name": name, "value": value} for name, value in headers.items()]
