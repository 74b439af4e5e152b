import csv

from locust import HttpUser, between, task

with open("accounts.csv", newline="") as f:
    ACCOUNTS = list(csv.DictReader(f))


class AccountUser(HttpUser):
    wait_time = between(0.01, 0.02)

    def on_start(self):
        account = ACCOUNTS.pop()
        self.client.post("/login", json={"username": account["username"], "password": account["password"]})

    @task
    def session(self):
        self.client.get("/session")
