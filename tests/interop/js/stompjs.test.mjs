// @stomp/stompjs through a TLS socket in place of a WebSocket.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { Client, Versions } from '@stomp/stompjs';

import { broker, Inbox, within } from './broker.mjs';
import { TlsSocket } from './tls-socket.mjs';

const OPTIONS = { timeout: 40_000 };

async function connect(options = {}) {
  const errors = new Inbox();
  const client = new Client({
    webSocketFactory: () => new TlsSocket({ port: broker.stompPort, ca: broker.ca }),
    connectHeaders: { login: broker.user, passcode: broker.password, host: '/' },
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    ...options,
  });
  const connected = new Promise((resolve, reject) => {
    client.onConnect = resolve;
    client.onStompError = (frame) => {
      errors.put(frame);
      reject(new Error(frame.headers.message));
    };
  });
  client.activate();
  const frame = await within(connected, 'CONNECTED');
  return { client, errors, connected: frame };
}

async function withClient(act, options) {
  const peer = await connect(options);
  try {
    await act(peer.client, peer.errors, peer.connected);
  } finally {
    await peer.client.deactivate({ force: peer.errors.size > 0 });
  }
}

function receipt(client) {
  const id = randomUUID();
  return [id, within(new Promise((resolve) => client.watchForReceipt(id, resolve)), `receipt ${id}`)];
}

async function send(client, destination, body, headers = {}) {
  const [id, came] = receipt(client);
  const binary = typeof body === 'string' ? { body } : { binaryBody: body };
  client.publish({ destination, ...binary, headers: { persistent: 'true', receipt: id, ...headers } });
  await came;
}

async function subscribe(client, destination, headers = {}) {
  const inbox = new Inbox();
  const [id, came] = receipt(client);
  const subscription = client.subscribe(destination, (message) => inbox.put(message), { receipt: id, ...headers });
  await came;
  return { inbox, subscription };
}

async function acknowledged(client, message, how = 'ack', headers = {}) {
  const [id, came] = receipt(client);
  message[how]({ receipt: id, ...headers });
  await came;
}

const name = () => `stompjs.${randomUUID()}`;

for (const version of [Versions.V1_0, Versions.V1_1, Versions.V1_2]) {
  test(`version ${version} is negotiated and carries a message`, OPTIONS, () =>
    withClient(
      async (client, _errors, connected) => {
        assert.equal(connected.headers.version ?? '1.0', version);
        const queue = `/queue/${name()}`;
        const { inbox } = await subscribe(client, queue);
        await send(client, queue, 'Grüße 🙂');
        const message = await inbox.next('the message');
        assert.equal(message.body, 'Grüße 🙂');
        assert.equal(message.headers.destination, queue);
      },
      { stompVersions: new Versions([version]) },
    ));
}

test('a wrong password is answered with an error', OPTIONS, async () => {
  const wrong = { login: broker.user, passcode: 'not the password', host: '/' };
  await assert.rejects(connect({ connectHeaders: wrong }), /User name \[admin\] or password is invalid/);
});

test('bytes with NUL arrive whole', OPTIONS, () =>
  withClient(async (client) => {
    const queue = `/queue/${name()}`;
    const body = Uint8Array.from({ length: 70_000 }, (_, at) => at % 256);
    const { inbox } = await subscribe(client, queue);
    await send(client, queue, body);
    assert.deepEqual((await inbox.next('the message')).binaryBody, body);
  }));

test('values of headers are escaped and come back', OPTIONS, () =>
  withClient(async (client) => {
    const queue = `/queue/${name()}`;
    const headers = { colon: 'a:b', line: 'one\ntwo', back: 'a\\-b', return: 'a\r\nb' };
    const { inbox } = await subscribe(client, queue);
    await send(client, queue, 'x', headers);
    const came = (await inbox.next('the message')).headers;
    for (const [key, value] of Object.entries(headers)) assert.equal(came[key], value);
  }));

test('client-individual acknowledges one, and a NACK brings a message again', OPTIONS, () =>
  withClient(async (client) => {
    const queue = `/queue/${name()}`;
    await send(client, queue, 'one');
    await send(client, queue, 'two');
    const { inbox } = await subscribe(client, queue, { ack: 'client-individual' });
    const [one, two] = [await inbox.next('one'), await inbox.next('two')];
    await acknowledged(client, two);
    await acknowledged(client, one, 'nack');
    const again = await inbox.next('one again');
    assert.deepEqual([again.body, again.headers.redelivered], ['one', 'true']);
    await acknowledged(client, again);
  }));

test('client acknowledges all before', OPTIONS, async () => {
  const queue = `/queue/${name()}`;
  await withClient(async (client) => {
    for (const body of ['1', '2', '3']) await send(client, queue, body);
    const { inbox } = await subscribe(client, queue, { ack: 'client' });
    await inbox.next('1');
    await acknowledged(client, await inbox.next('2'));
  });
  await withClient(async (client) => {
    const { inbox } = await subscribe(client, queue);
    assert.equal((await inbox.next('3')).body, '3');
  });
});

test('a transaction is delivered when it is committed, and an aborted one never', OPTIONS, () =>
  withClient(async (client) => {
    const queue = `/queue/${name()}`;
    const { inbox } = await subscribe(client, queue);
    const dropped = client.begin();
    await send(client, queue, 'dropped', { transaction: dropped.id });
    dropped.abort();
    const kept = client.begin();
    await send(client, queue, 'kept', { transaction: kept.id });
    assert.equal(inbox.size, 0);
    kept.commit();
    assert.equal((await inbox.next('kept')).body, 'kept');
  }));

test('heart-beats keep the connection', OPTIONS, () =>
  withClient(
    async (client, _errors, connected) => {
      assert.equal(connected.headers['heart-beat'], '1000,1000');
      // Longer than the broker would wait for a client that says nothing.
      await new Promise((resolve) => setTimeout(resolve, 3500));
      assert.ok(client.connected);
    },
    { heartbeatIncoming: 1000, heartbeatOutgoing: 1000 },
  ));

test('a durable subscription catches up', OPTIONS, async () => {
  const topic = `/topic/${name()}`;
  const connectHeaders = { login: broker.user, passcode: broker.password, host: '/', 'client-id': name() };
  const durable = { 'activemq.subscriptionName': 'news' };
  await withClient(async (client) => void (await subscribe(client, topic, durable)), { connectHeaders });
  await withClient((client) => send(client, topic, 'while away'));
  await withClient(
    async (client) => {
      const { inbox } = await subscribe(client, topic, durable);
      assert.equal((await inbox.next('the message')).body, 'while away');
    },
    { connectHeaders },
  );
});

test('request and reply over a temporary queue', OPTIONS, () =>
  withClient(async (client) => {
    const queue = `/queue/${name()}`;
    const requests = await subscribe(client, queue);
    const replies = await subscribe(client, '/temp-queue/replies');
    await send(client, queue, '2+2', { 'reply-to': '/temp-queue/replies' });
    const request = await requests.inbox.next('the request');
    await send(client, request.headers['reply-to'], '4');
    assert.equal((await replies.inbox.next('the reply')).body, '4');
  }));

test('an ended subscription hears nothing more', OPTIONS, () =>
  withClient(async (client) => {
    const topic = `/topic/${name()}`;
    const { inbox, subscription } = await subscribe(client, topic);
    const [id, came] = receipt(client);
    subscription.unsubscribe({ receipt: id });
    await came;
    await send(client, topic, 'x');
    assert.equal(inbox.size, 0);
  }));
