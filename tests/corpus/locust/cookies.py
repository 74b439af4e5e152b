from locust import HttpUser, between, task


class CookieUser(HttpUser):
    wait_time = between(0.01, 0.02)

    @task(2)
    def own_cookie(self):
        self.client.get("/echo/cookie", cookies={"theme": "dark"})

    @task(1)
    def session(self):
        self.client.post("/login", data={"username": "lea", "password": "pw"})
        self.client.get("/session")
