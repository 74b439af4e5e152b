from locust import HttpUser, between, task


class PoliteUser(HttpUser):
    wait_time = between(0.01, 0.02)

    def on_start(self):
        self.token = self.client.post("/login", json={"username": "mia", "password": "pw"}).json()["token"]

    def on_stop(self):
        self.client.post("/logout", headers={"Authorization": f"Bearer {self.token}"})

    @task
    def account(self):
        self.client.get("/me", headers={"Authorization": f"Bearer {self.token}"})
