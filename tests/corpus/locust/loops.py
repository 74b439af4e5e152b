from locust import HttpUser, constant, task


class LoopingUser(HttpUser):
    wait_time = constant(0.01)

    @task(1)
    def skips_one(self):
        for number in range(4):
            if number == 1:
                continue
            self.client.get(f"/page/skip{number}", name="/page/skip")

    @task(1)
    def counts_down(self):
        left = 2
        while left > 0:
            self.client.get("/page/down")
            left -= 1

    @task(1)
    def until_done(self):
        job = self.client.post("/jobs", json={"kind": "loop"}).json()["job_id"]
        while True:
            answer = self.client.get(f"/jobs/{job}", name="/jobs/[id]")
            if answer.json()["status"] == "done":
                break

    @task(1)
    def pairs(self):
        for path, times in (("a", 1), ("b", 2)):
            for _ in range(times):
                self.client.get(f"/page/pair-{path}")
