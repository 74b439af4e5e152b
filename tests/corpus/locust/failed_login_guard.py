"""The password is wrong: every task returns, as there is no token."""
from locust import HttpUser, between, task


class LockedOut(HttpUser):
    wait_time = between(0.01, 0.02)

    def on_start(self):
        self.token = None
        res = self.client.post("/login", json={"username": "eve", "password": "wrong"})
        if res.status_code == 200:
            self.token = res.json()["token"]

    @task
    def account(self):
        if self.token is None:
            return
        self.client.get("/me", headers={"Authorization": f"Bearer {self.token}"})

    @task(2)
    def public(self):
        self.client.get("/health")
