// Two clients that come back by themselves when the broker does, and tell what they hear, a line for each thing.

import { Client } from '@stomp/stompjs';
import mqtt from 'mqtt';

import { broker } from './broker.mjs';
import { TlsSocket } from './tls-socket.mjs';

const [, , queue, topic] = process.argv;
const tell = (line) => process.stdout.write(`${line}\n`);

const stomp = new Client({
  webSocketFactory: () => new TlsSocket({ port: broker.stompPort, ca: broker.ca }),
  connectHeaders: { login: broker.user, passcode: broker.password, host: '/' },
  reconnectDelay: 200,
  heartbeatIncoming: 0,
  heartbeatOutgoing: 0,
  onConnect: () => {
    stomp.subscribe(queue, (message) => tell(`stomp heard ${message.body}`), { receipt: 'subscribed' });
    stomp.watchForReceipt('subscribed', () => tell('stomp ready'));
  },
});
stomp.activate();

const client = mqtt.connect({
  protocol: 'mqtts',
  host: 'localhost',
  port: broker.mqttPort,
  ca: broker.ca,
  username: broker.user,
  password: broker.password,
  clientId: `survivor-${process.pid}`,
  clean: false,
  reconnectPeriod: 200,
});
client.on('error', () => {});
client.on('message', (_topic, payload) => tell(`mqtt heard ${payload}`));
client.on('connect', (connack) => {
  client.subscribe(topic, { qos: 1 }, () => tell(`mqtt ready ${connack.sessionPresent}`));
});
