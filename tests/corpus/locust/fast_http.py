from locust import FastHttpUser, between, task


class FastUser(FastHttpUser):
    wait_time = between(0.01, 0.02)
    connection_timeout = 5.0
    network_timeout = 10.0

    @task(4)
    def items(self):
        self.client.get("/items?page=2")

    @task(2)
    def create(self):
        self.client.post("/items", json={"name": "lamp", "price": 12.5, "tags": ["a", "b"], "new": True, "note": None})

    @task(1)
    def missing(self):
        self.client.get("/status/404")

    @task(1)
    def form(self):
        self.client.post("/echo/form", data={"a": "1", "b": "x y"})
