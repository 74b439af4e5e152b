from locust import FastHttpUser, HttpUser, constant, task


class KeyUser(HttpUser):
    wait_time = constant(0.01)

    def on_start(self):
        self.client.headers["X-Api-Key"] = "key-1"
        self.client.headers.update({"Accept": "application/vnd.shop+json", "X-Trace": "on"})
        self.client.verify = False

    @task(2)
    def items(self):
        self.client.get("/items")

    @task(1)
    def item(self):
        self.client.get("/items/3", headers={"X-Trace": "off"})


class FastKeyUser(FastHttpUser):
    wait_time = constant(0.01)
    default_headers = {"X-Api-Key": "key-2"}

    @task
    def item(self):
        self.client.get("/items/4", headers={"X-Trace": "fast"})
