"""The shop of `swarmline target`: the file that Locust and swarmline are compared by."""
import random

from locust import HttpUser, constant, task


class Buyer(HttpUser):
    wait_time = constant(0.05)

    def on_start(self):
        response = self.client.post("/login", json={"user": "amy", "password": "secret"})
        self.headers = {"Authorization": f"Bearer {response.json()['token']}"}

    @task(5)
    def browse(self):
        page = random.randint(1, 20)
        response = self.client.get(f"/items?page={page}", name="/items")
        item_id = response.json()["items"][0]["id"]
        self.client.get(f"/items/{item_id}", name="/items/:id")

    @task(1)
    def buy(self):
        self.client.post("/orders", json={"item": 7, "note": "by a locustfile"}, headers=self.headers)
