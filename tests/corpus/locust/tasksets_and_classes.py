"""Two classes of equal weight: each has half of the users, however many TaskSets it has."""
from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task


class Browsing(TaskSet):
    @task
    def items(self):
        self.client.get("/items")


class Buying(SequentialTaskSet):
    @task
    def cart(self):
        self.client.post("/cart", json={"item": 1})

    @task
    def pay(self):
        self.client.post("/cart/pay", json={"card": "none"})


class Customer(HttpUser):
    wait_time = constant(0.02)
    tasks = {Browsing: 3, Buying: 1}


class Clerk(HttpUser):
    wait_time = constant(0.02)

    @task
    def health(self):
        self.client.get("/health")
