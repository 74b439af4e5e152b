// What a user of k6 does: one request after another, its body not kept.
import http from "k6/http";

export const options = { discardResponseBodies: true, noConnectionReuse: false };

export default function () {
  http.get(__ENV.URL);
}
