"""The token goes into the headers of the session."""
from locust import HttpUser, between, task


class SessionUser(HttpUser):
    wait_time = between(0.01, 0.03)

    def on_start(self):
        with self.client.post("/login", json={"username": "bob", "password": "pw"}, catch_response=True) as resp:
            if resp.status_code == 200:
                token = resp.json().get("access_token")
                self.client.headers.update({"Authorization": f"Bearer {token}", "X-Client": "locust"})
            else:
                resp.failure(f"login failed: {resp.status_code}")

    @task(4)
    def me(self):
        self.client.get("/me")

    @task(1)
    def order(self):
        self.client.post("/orders", json={"item": 3})
