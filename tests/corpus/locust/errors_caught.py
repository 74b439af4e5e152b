from locust import HttpUser, constant, task


class CatchingUser(HttpUser):
    wait_time = constant(0.01)

    @task(1)
    def caught(self):
        try:
            value = self.client.get("/empty").json()["missing"]
            self.client.get(f"/page/{value}")
        except KeyError:
            self.client.get("/page/caught")
        finally:
            self.client.get("/page/finally")

    @task(1)
    def not_raised(self):
        try:
            self.client.get("/status/404")
        except Exception:
            self.client.get("/page/not-raised")

    @task(1)
    def raised(self):
        response = self.client.get("/status/500", name="/status/500")
        try:
            response.raise_for_status()
            self.client.get("/page/never")
        except Exception:
            self.client.get("/page/raised")
