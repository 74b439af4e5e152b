import random
import uuid

from locust import HttpUser, between, task


class NewcomerUser(HttpUser):
    wait_time = between(0.01, 0.02)
    token = None

    def on_start(self):
        self.username = f"user_{uuid.uuid4()}"
        self.password = "Passw0rd!"
        with self.client.post(
            "/api/auth/register",
            json={"username": self.username, "password": self.password, "email": "someone@example.com"},
            name="/register",
            catch_response=True,
        ) as response:
            if response.status_code in (200, 201, 400, 409):
                response.success()
            else:
                response.failure(f"Registration failed: {response.text}")
        response = self.client.post("/api/auth/login", json={"username": self.username, "password": self.password}, name="/login")
        if response.status_code == 200:
            self.token = response.json()["access_token"]

    @task(5)
    def list_items(self):
        if not self.token:
            return
        page = random.randint(1, 6)
        self.client.get(f"/items?page={page}", headers={"Authorization": f"Bearer {self.token}"}, name="/items?page=[n]")

    @task(2)
    def profile(self):
        if not self.token:
            return
        self.client.get("/me", headers={"Authorization": f"Bearer {self.token}"})
