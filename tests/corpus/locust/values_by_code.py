import random
import secrets
from datetime import datetime, timedelta

from locust import HttpUser, between, task

SKUS = [f"SKU-{number:03d}" for number in range(1, 5)]
BASE_PAYLOAD = {"source": "load", "version": 2}


def payload(**more):
    return {**BASE_PAYLOAD, **more}


class CodeUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(3)
    def sku(self):
        self.client.post("/items", json=payload(sku=random.choice(SKUS), amount=round(random.uniform(1, 9), 2)))

    @task(1)
    def dates(self):
        tomorrow = (datetime.now() + timedelta(days=1)).strftime("%Y-%m-%d")
        self.client.get("/search", params={"from": datetime.now().strftime("%Y-%m-%d"), "to": tomorrow}, name="/search")

    @task(1)
    def key(self):
        self.client.post("/echo/key", json={"key": "n_" + secrets.token_hex(8)})

    @task(1)
    def several(self):
        ids = [number * 2 for number in range(3)]
        self.client.post("/echo/ids", json={"ids": ids, "count": len(ids), "first": ids[0]})
