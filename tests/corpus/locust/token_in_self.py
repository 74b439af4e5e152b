from locust import HttpUser, task, between


class ApiUser(HttpUser):
    wait_time = between(0.01, 0.03)
    host = "http://127.0.0.1:8001"

    def on_start(self):
        response = self.client.post("/api/auth/login", json={"username": "amy", "password": "secret"})
        self.token = response.json()["token"]
        self.headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    @task(3)
    def view_account(self):
        self.client.get("/me", headers=self.headers)

    @task(2)
    def view_items(self):
        self.client.get("/items", headers={"Authorization": "Bearer " + self.token})

    @task
    def order(self):
        self.client.post("/orders", json={"item": 7, "quantity": 2}, headers=self.headers, name="create order")
