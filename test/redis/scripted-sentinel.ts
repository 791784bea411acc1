import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A Sentinel whose answers come when the test wants them, as real ones' come in no order that a test could choose. */
export interface ScriptedSentinel {
  readonly port: number;
  /** How many connections want to know of another primary. */
  readonly subscribers: () => number;
  /** How many questions for the primary have no answer yet. */
  readonly waiting: () => number;
  /** Lets questions for the primary wait. */
  hold(): void;
  /** Answers them, and all that follow. */
  release(): void;
  /** Tells all subscribers that there is another primary. */
  switchPrimary(): void;
  close(): void;
}

/** Starts one that names a Redis on loopback as the primary. */
export async function startScriptedSentinel(primaryPort: number): Promise<ScriptedSentinel> {
  const sockets = new Set<Socket>();
  const subscribers = new Set<Socket>();
  const address = reply('127.0.0.1', String(primaryPort));
  let isHeld = false;
  let waiting: Socket[] = [];

  function answer(socket: Socket, command: string): void {
    if (/get-master-addr-by-name/i.test(command)) {
      waiting.push(socket);
      flush();
    } else if (/subscribe/i.test(command)) {
      subscribers.add(socket);
      socket.write('*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n');
    } else {
      socket.write(/sentinels/i.test(command) ? '*0\r\n' : '-ERR unknown command, HELLO is one\r\n');
    }
  }

  function flush(): void {
    if (!isHeld) {
      waiting.forEach((socket) => socket.write(address));
      waiting = [];
    }
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      // Commands are so short that none comes in pieces.
      .on('data', (bytes) => commandsIn(bytes.toString()).forEach((command) => answer(socket, command)))
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket);
        subscribers.delete(socket);
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    subscribers: () => subscribers.size,
    waiting: () => waiting.length,
    hold: () => void (isHeld = true),
    release() {
      isHeld = false;
      flush();
    },
    switchPrimary: () => subscribers.forEach((socket) => socket.write(reply('message', '+switch-master', 'mymaster'))),
    close() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}

function commandsIn(text: string): string[] {
  return text.split(/^(?=\*)/m);
}

/** @see https://redis.io/docs/latest/develop/reference/protocol-spec/#arrays */
function reply(...texts: readonly string[]): string {
  return `*${texts.length}\r\n${texts.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`;
}
