from locust import HttpUser, constant, tag, task


class TaggedUser(HttpUser):
    wait_time = constant(0.01)

    @tag("read", "fast")
    @task(3)
    def home(self):
        self.client.get("/")

    @task(1)
    @tag("write")
    def cart(self):
        self.client.post("/cart", json={"item": 1})
