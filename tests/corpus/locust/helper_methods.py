import random

from locust import HttpUser, between, task

COLOURS = ["red", "green", "blue"]


def random_colour():
    return random.choice(COLOURS)


class HelperUser(HttpUser):
    wait_time = between(0.01, 0.02)

    def on_start(self):
        self.login("frank", "pw")

    def login(self, username, password):
        response = self.client.post("/login", json={"username": username, "password": password})
        self.token = response.json()["token"]

    @property
    def auth_headers(self):
        return {"Authorization": f"Bearer {self.token}", "X-Request-Source": "load-test"}

    def get_headers(self):
        return {"Authorization": "Bearer {}".format(self.token)}

    def _get(self, path, name=None):
        return self.client.get(path, headers=self.auth_headers, name=name or path)

    @task(2)
    def account(self):
        self._get("/me")

    @task(1)
    def search(self):
        self._get(f"/search?color={random_colour()}", name="/search")

    @task(1)
    def order(self):
        self.client.post("/orders", json={"color": random_colour()}, headers=self.get_headers())
