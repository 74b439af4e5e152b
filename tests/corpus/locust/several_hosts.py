from locust import HttpUser, between, task

AUTH_HOST = "http://127.0.0.1:8002"


class ManyHostsUser(HttpUser):
    wait_time = between(0.01, 0.02)
    host = "http://127.0.0.1:8001"

    def on_start(self):
        response = self.client.post(f"{AUTH_HOST}/login", json={"username": "gil", "password": "pw"})
        self.token = response.json()["token"]

    @task(2)
    def account(self):
        self.client.get("/me", headers={"Authorization": f"Bearer {self.token}"})

    @task(1)
    def other(self):
        self.client.get("http://127.0.0.1:8002/items/2", name="other item")
