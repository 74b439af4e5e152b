import random

from locust import HttpUser, SequentialTaskSet, between, task


class Journey(SequentialTaskSet):
    def on_start(self):
        self.order_id = None

    @task
    def sign_in(self):
        r = self.client.post("/login", data={"username": "carol", "password": "pw"})
        self.token = r.json()["token"]

    @task
    def place(self):
        quantity = random.choice([1, 2, 3])
        r = self.client.post("/orders", json={"item": 5, "quantity": quantity},
                             headers={"Authorization": f"Bearer {self.token}"})
        self.order_id = r.json()["id"]

    @task
    def look(self):
        self.client.get(f"/page/{self.order_id}", name="/page/[id]")

    @task
    def leave(self):
        self.client.post("/logout")


class Visitor(HttpUser):
    tasks = [Journey]
    wait_time = between(0.005, 0.015)
