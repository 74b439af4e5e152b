"""As files were written for Locust 0.x and carried on: constants in capitals, % and format, a logger, a main block."""
import json
import logging

from locust import HttpUser, TaskSet, between, run_single_user, task

logger = logging.getLogger(__name__)

BASE = "/api/v1"
HEADERS = {"Content-Type": "application/json", "X-App": "shop"}
BODY = {"name": "sofa", "size": {"w": 200, "d": 90}}


class Behaviour(TaskSet):
    @task(3)
    def list_items(self):
        url = BASE + "/items"
        response = self.client.get(url, headers=HEADERS)
        logger.info("got %s", response.status_code)
        print(f"length {len(response.content)}")

    @task(1)
    def create(self):
        self.client.post("{}/items".format(BASE), data=json.dumps(BODY), headers=HEADERS)

    @task(1)
    def one(self):
        self.client.get("%s/items/%d" % (BASE, 4), headers=HEADERS)


class WebsiteUser(HttpUser):
    tasks = [Behaviour]
    wait_time = between(0.01, 0.02)


if __name__ == "__main__":
    run_single_user(WebsiteUser)
