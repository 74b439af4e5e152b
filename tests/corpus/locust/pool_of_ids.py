"""Identifiers that answers gave are kept on the user and used later."""
import random

from locust import HttpUser, between, task


class PoolUser(HttpUser):
    wait_time = between(0.01, 0.02)

    def on_start(self):
        self.ids = []

    @task(1)
    def create(self):
        response = self.client.post("/items", json={"name": "thing"})
        if response.status_code == 201:
            self.ids.append(response.json()["id"])

    @task(3)
    def read(self):
        if not self.ids:
            return
        item_id = random.choice(self.ids)
        self.client.get(f"/items/{item_id}", name="/items/{id}")

    @task(1)
    def delete(self):
        if self.ids:
            self.client.delete(f"/items/{random.choice(self.ids)}", name="/items/{id}")
