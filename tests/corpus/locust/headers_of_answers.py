from locust import HttpUser, constant, task


class HeaderUser(HttpUser):
    wait_time = constant(0.01)

    @task(1)
    def location(self):
        response = self.client.get("/old", allow_redirects=False)
        target = response.headers["Location"]
        self.client.get(target)

    @task(1)
    def cookie(self):
        response = self.client.post("/login", json={"username": "oda", "password": "pw"})
        session = response.cookies.get("session")
        self.client.get("/session", headers={"X-Session": session})

    @task(1)
    def kind(self):
        response = self.client.get("/text")
        if "html" in response.headers.get("Content-Type", ""):
            self.client.get("/page/html")
