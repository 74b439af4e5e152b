import random

from locust import HttpUser, between, task

USERS = [
    {"email": "ida@example.com", "password": "one"},
    {"email": "jon@example.com", "password": "two"},
    {"email": "kim@example.com", "password": "three"},
]

QUERIES = ["chair", "table", "lamp", "lamp"]


class AnyAccountUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(1)
    def sign_in(self):
        user = random.choice(USERS)
        self.client.post("/echo/login", json={"email": user["email"], "password": user["password"]})

    @task(2)
    def search(self):
        q = random.choice(QUERIES)
        self.client.get("/search", params={"q": q}, name="/search")
