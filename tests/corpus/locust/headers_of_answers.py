from locust import HttpUser, constant, task


class HeaderUser(HttpUser):
    wait_time = constant(0.01)

    @task(1)
    def location(self):
        response = self.client.get("/old", allow_redirects=False)
        target = response.headers["Location"]
        self.client.get(target)

    def on_start(self):
        response = self.client.post("/login", json={"username": "oda", "password": "pw"})
        self.session = response.cookies.get("session")

    @task(1)
    def cookie(self):
        self.client.get("/session", headers={"X-Session": self.session})

    @task(1)
    def kind(self):
        response = self.client.get("/text")
        if "html" in response.headers.get("Content-Type", ""):
            self.client.get("/page/html")
