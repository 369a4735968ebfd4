// The broker that the tests were given, and waiting with a deadline.

import { readFileSync } from 'node:fs';

const wanted = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; these tests are run by tests/interop/run`);
  return value;
};

export const broker = {
  stompPort: Number(wanted('KEEPMQ_TEST_STOMP_PORT')),
  mqttPort: Number(wanted('KEEPMQ_TEST_MQTT_PORT')),
  ca: readFileSync(wanted('KEEPMQ_TEST_CA')),
  user: wanted('KEEPMQ_TEST_USER'),
  password: wanted('KEEPMQ_TEST_PASSWORD'),
};

const PATIENCE_MS = 20_000;

/** Values in the order in which they come, and a way to wait for the next. */
export class Inbox {
  #held = [];
  #waiting = [];

  put(value) {
    const next = this.#waiting.shift();
    if (next) next(value);
    else this.#held.push(value);
  }

  get size() {
    return this.#held.length;
  }

  next(what) {
    if (this.#held.length > 0) return Promise.resolve(this.#held.shift());
    return within(new Promise((resolve) => this.#waiting.push(resolve)), what);
  }
}

/** The promise, or an error when it takes too long. */
export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
