"""A task that ends where an answer is not as it should be."""
import json

from locust import HttpUser, between, task


class CheckedUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def two_steps(self):
        with self.client.get("/flaky/b", catch_response=True) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}")
                return
            if not response.json().get("ok"):
                response.failure("not ok")
                return
        self.client.get("/page/after-flaky")

    @task(1)
    def broken_json(self):
        with self.client.get("/text", catch_response=True, name="/text as JSON") as response:
            try:
                response.json()["x"]
            except json.JSONDecodeError:
                response.failure("no JSON")

    @task(1)
    def ok_or_not(self):
        response = self.client.get("/status/204")
        if not response.ok:
            return
        self.client.get("/page/after-204")

    @task(1)
    def slow_or_not(self):
        with self.client.get("/items/2", catch_response=True) as response:
            if response.elapsed.total_seconds() > 5:
                response.failure("too slow")
