from locust import HttpUser, SequentialTaskSet, constant, task


class Checkout(SequentialTaskSet):
    def on_start(self):
        self.client.get("/")

    @task
    def first(self):
        self.client.get("/page/first")

    @task(3)
    def second(self):
        self.client.get("/page/second")

    @task
    def third(self):
        self.client.post("/cart", json={"step": "third"})


class Shopper(HttpUser):
    wait_time = constant(0.01)
    tasks = [Checkout]
