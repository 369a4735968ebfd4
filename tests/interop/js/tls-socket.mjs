// TLS over TCP with the interface of a WebSocket, as stompjs wants it. Each chunk of bytes is a message.

import tls from 'node:tls';

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

export class TlsSocket {
  binaryType = 'arraybuffer';
  readyState = CONNECTING;
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;

  constructor({ port, ca }) {
    this.url = `stomp+ssl://localhost:${port}`;
    this.socket = tls.connect({ host: 'localhost', port, ca, noDelay: true });
    this.socket.on('secureConnect', () => {
      this.readyState = OPEN;
      this.onopen?.({});
    });
    this.socket.on('data', (bytes) => this.onmessage?.({ data: new Uint8Array(bytes).buffer }));
    this.socket.on('error', (error) => this.onerror?.(error));
    this.socket.on('close', (failed) => {
      this.readyState = CLOSED;
      this.onclose?.({ code: failed ? 1006 : 1000, reason: '', wasClean: !failed });
    });
  }

  send(data) {
    this.socket.write(typeof data === 'string' ? data : Buffer.from(data));
  }

  close() {
    this.readyState = CLOSING;
    this.socket.end();
  }

  terminate() {
    this.socket.destroy();
  }
}
