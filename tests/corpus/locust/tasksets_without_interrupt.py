"""Nothing interrupts a TaskSet, so a user stays in the one that it has chosen first."""
from locust import HttpUser, TaskSet, constant, task


class Browsing(TaskSet):
    @task(2)
    def items(self):
        self.client.get("/items")

    @task(1)
    def item(self):
        self.client.get("/items/3")


class Ordering(TaskSet):
    @task
    def cart(self):
        self.client.post("/cart", json={"item": 3})


class Customer(HttpUser):
    wait_time = constant(0.02)
    tasks = {Browsing: 3, Ordering: 1}
