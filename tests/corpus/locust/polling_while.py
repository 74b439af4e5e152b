import gevent

from locust import HttpUser, constant, task


class WaitingUser(HttpUser):
    wait_time = constant(0.01)

    @task(1)
    def run_job(self):
        job = self.client.post("/jobs", json={"kind": "import"}).json()
        status = "pending"
        attempts = 0
        while status != "done" and attempts < 5:
            gevent.sleep(0.01)
            status = self.client.get("/jobs/" + job["job_id"], name="/jobs/[id]").json()["status"]
            attempts += 1

    @task(2)
    def health(self):
        self.client.get("/health")
