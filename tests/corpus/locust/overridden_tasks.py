"""Tasks of base classes are added to those of the class; one that is defined anew stands twice, as Locust collects both."""
from locust import HttpUser, constant, task


class Base(HttpUser):
    abstract = True
    wait_time = constant(0.01)
    path = "/page/base"

    @task(2)
    def common(self):
        self.client.get(self.path)

    @task(1)
    def health(self):
        self.client.get("/health")


class Special(Base):
    path = "/page/special"

    @task(3)
    def own(self):
        self.client.get("/page/own")

    @task(2)
    def health(self):
        self.client.get("/echo/health")
