from locust import HttpUser, constant, task

ACCOUNT = {"username": "shared", "email": "shared@example.com", "password": "pw"}


class SharedAccountUser(HttpUser):
    wait_time = constant(0.02)

    @task(1)
    def register(self):
        with self.client.post("/register", json=ACCOUNT, catch_response=True) as r:
            if r.status_code == 201 or r.status_code == 409:
                r.success()
            else:
                r.failure("unexpected status")

    @task(3)
    def browse(self):
        self.client.get("/items")
