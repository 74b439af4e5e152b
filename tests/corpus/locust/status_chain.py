"""Guessed numbers of items: that one does not exist is no failure."""
import random

from locust import HttpUser, between, task


class Guesser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(3)
    def item(self):
        item_id = random.randint(41, 80)
        with self.client.get(f"/items/{item_id}", name="/items/[id]", catch_response=True) as response:
            if response.status_code == 200:
                response.success()
            elif response.status_code == 404:
                response.success()
            else:
                response.failure(f"Unexpected status code: {response.status_code}")

    @task(1)
    def gone(self):
        with self.client.get("/status/410", catch_response=True) as response:
            if response.status_code in [200, 404]:
                response.success()
            else:
                response.failure("neither there nor missing")

    @task(1)
    def flaky(self):
        with self.client.get("/flaky", catch_response=True) as response:
            if response.status_code >= 500:
                response.failure("server error")
            else:
                response.success()
