"""Nested TaskSets that hand back: taken over in part, and said by line."""
from locust import HttpUser, TaskSet, constant, task


class Site(TaskSet):
    @task(2)
    def home(self):
        self.client.get("/")

    @task(1)
    class Forum(TaskSet):
        @task(3)
        def thread(self):
            self.client.get("/page/thread")

        @task(1)
        def stop(self):
            self.interrupt()


class Guest(HttpUser):
    wait_time = constant(0.01)
    tasks = [Site]
