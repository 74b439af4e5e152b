from locust import HttpUser, between, task


class CarefulUser(HttpUser):
    wait_time = between(0.01, 0.02)
    token = ""

    def on_start(self):
        try:
            response = self.client.post("/login", json={"username": "ned", "password": "pw"})
            response.raise_for_status()
            self.token = response.json()["token"]
        except Exception as error:
            print(f"login failed: {error}")

    @task(2)
    def account(self):
        with self.client.get("/me", headers={"Authorization": f"Bearer {self.token}"}, catch_response=True) as response:
            try:
                if response.json()["active"] is not True:
                    response.failure("not active")
            except KeyError:
                response.failure("no such key")

    @task(1)
    def items(self):
        self.client.get("/items", headers={"Authorization": f"Bearer {self.token}"} if self.token else {})
