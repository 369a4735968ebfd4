// mqtt.js over TLS.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';

import mqtt from 'mqtt';

import { broker, Inbox, within } from './broker.mjs';

const OPTIONS = { timeout: 40_000 };

function begin(options = {}) {
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: 'localhost',
    port: broker.mqttPort,
    ca: broker.ca,
    username: broker.user,
    password: broker.password,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...options,
  });
  client.inbox = new Inbox();
  client.on('message', (topic, payload, packet) => client.inbox.put({ topic, payload, packet }));
  return client;
}

async function withClient(act, options) {
  const client = begin(options);
  try {
    const [connack] = await within(once(client, 'connect'), 'CONNACK');
    await act(client, connack);
  } finally {
    await client.endAsync();
  }
}

const name = () => `mqttjs/${randomUUID()}`;

for (const [protocolId, protocolVersion] of [['MQIsdp', 3], ['MQTT', 4]]) {
  for (const qos of [0, 1, 2]) {
    test(`version ${protocolVersion} with quality of service ${qos}`, OPTIONS, () =>
      withClient(
        async (client) => {
          const topic = name();
          const [granted] = await client.subscribeAsync(topic, { qos });
          assert.equal(granted.qos, qos);
          for (let at = 0; at < 50; at += 1) await client.publishAsync(topic, String(at), { qos });
          for (let at = 0; at < 50; at += 1) {
            const { payload, packet } = await client.inbox.next(`message ${at}`);
            assert.deepEqual([payload.toString(), packet.qos, packet.dup], [String(at), qos, false]);
          }
        },
        { protocolId, protocolVersion },
      ));
  }
}

test('a wrong password is refused', OPTIONS, async () => {
  const client = begin({ password: 'not the password' });
  const [error] = await within(once(client, 'error'), 'the refusal');
  assert.equal(error.code, 4);
  await client.endAsync(true);
});

test('version 5 is refused as a version', OPTIONS, async () => {
  const client = begin({ protocolVersion: 5 });
  const [error] = await within(once(client, 'error'), 'the refusal');
  assert.match(error.message, /version/i);
  await client.endAsync(true);
});

test('a payload of four megabytes arrives whole', OPTIONS, () =>
  withClient(async (client) => {
    const topic = name();
    const body = Buffer.alloc(4 * 1024 * 1024, 'abcdefg');
    await client.subscribeAsync(topic, { qos: 1 });
    await client.publishAsync(topic, body, { qos: 1 });
    assert.ok((await client.inbox.next('the payload')).payload.equals(body));
  }));

test('a retained message comes to a later subscriber', OPTIONS, () =>
  withClient(async (client) => {
    const topic = name();
    await client.publishAsync(topic, 'kept', { qos: 1, retain: true });
    await client.subscribeAsync(topic, { qos: 1 });
    const { payload, packet } = await client.inbox.next('the retained message');
    assert.deepEqual([payload.toString(), packet.retain], ['kept', true]);
  }));

test('a session that stays catches up', OPTIONS, async () => {
  const [topic, clientId] = [name(), randomUUID()];
  const stays = { clientId, clean: false };
  await withClient(async (client, connack) => {
    assert.equal(connack.sessionPresent, false);
    await client.subscribeAsync(topic, { qos: 2 });
  }, stays);
  await withClient((client) => client.publishAsync(topic, 'while away', { qos: 2 }));
  await withClient(async (client, connack) => {
    assert.equal(connack.sessionPresent, true);
    assert.equal((await client.inbox.next('the message')).payload.toString(), 'while away');
  }, stays);
});

test('a will is published when its client vanishes', OPTIONS, () =>
  withClient(async (watcher) => {
    const topic = name();
    await watcher.subscribeAsync(topic, { qos: 1 });
    const client = begin({ will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false } });
    await within(once(client, 'connect'), 'CONNACK');
    client.stream.destroy();
    assert.equal((await watcher.inbox.next('the will')).payload.toString(), 'gone');
    await client.endAsync(true);
  }));

test('a second client with the id takes over', OPTIONS, async () => {
  const clientId = randomUUID();
  await withClient(async (first) => {
    const closed = once(first, 'close');
    await withClient(() => within(closed, 'the end of the first'), { clientId });
  }, { clientId });
});

test('wildcards match levels', OPTIONS, () =>
  withClient(async (client) => {
    const topic = name();
    await client.subscribeAsync(`${topic}/+/c`, { qos: 1 });
    for (const end of ['a/b/c', 'a/c', 'b/c', 'b/d']) await client.publishAsync(`${topic}/${end}`, end, { qos: 1 });
    assert.equal((await client.inbox.next('a/c')).topic, `${topic}/a/c`);
    assert.equal((await client.inbox.next('b/c')).topic, `${topic}/b/c`);
    await client.subscribeAsync('nothing/comes');
    assert.equal(client.inbox.size, 0);
  }));

test('pings keep the connection', OPTIONS, () =>
  withClient(
    async (client) => {
      let pings = 0;
      const three = new Promise((resolve) => {
        client.on('packetreceive', (packet) => {
          if (packet.cmd === 'pingresp' && (pings += 1) === 3) resolve();
        });
      });
      await within(three, 'three answers to pings');
      assert.ok(client.connected);
    },
    { keepalive: 1 },
  ));
