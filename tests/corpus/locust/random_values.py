import random
import string
import time
import uuid
from datetime import datetime

from locust import HttpUser, between, task


class RandomUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(3)
    def create(self):
        self.client.post("/items", json={
            "sku": str(uuid.uuid4()),
            "quantity": random.randint(1, 5),
            "color": random.choice(["red", "green", "blue", "blue"]),
            "created": datetime.now().strftime("%Y-%m-%d"),
            "active": True,
        })

    @task(2)
    def item(self):
        self.client.get(f"/items/{random.randint(1, 60)}", name="/items/:id")

    @task(1)
    def stamp(self):
        self.client.get("/echo/time", params={"t": int(time.time())}, name="/echo/time")

    @task(1)
    def text(self):
        name = "".join(random.choices(string.ascii_lowercase, k=8))
        self.client.post("/echo/text", json={"name": "n_" + name})
