from locust import HttpUser, between, constant, constant_pacing, constant_throughput, task


class Steady(HttpUser):
    wait_time = constant(0.05)

    @task
    def hit(self):
        self.client.get("/page/constant")


class Ranged(HttpUser):
    wait_time = between(0.04, 0.06)

    @task
    def hit(self):
        self.client.get("/page/between")


class Paced(HttpUser):
    wait_time = constant_pacing(0.05)

    @task
    def hit(self):
        self.client.get("/page/pacing")


class Throughput(HttpUser):
    wait_time = constant_throughput(20)

    @task
    def hit(self):
        self.client.get("/page/throughput")
