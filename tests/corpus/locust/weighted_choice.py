import random

from locust import HttpUser, constant, task

PATHS = ["/page/a", "/page/b", "/page/c"]


class ChoosingUser(HttpUser):
    wait_time = constant(0.01)

    def do_search(self):
        self.client.get("/search?q=x", name="/search")

    def do_health(self):
        self.client.get("/health")

    @task(2)
    def weighted(self):
        path = random.choices(PATHS, weights=[6, 3, 1])[0]
        self.client.get(path)

    @task(1)
    def one_of_methods(self):
        random.choice([self.do_search, self.do_health])()

    @task(2)
    def any_page(self):
        self.client.get(random.choice(PATHS), name="/page/any")

    @task(1)
    def sampled(self):
        for path in random.sample(PATHS, 2):
            self.client.get(path, name="/page/sampled")
