import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Environment } from '../config/environment.ts';
import {
  findManagementAddress,
  parseManagementAddress,
  type ManagementAddress,
} from '../config/management-shortcut.ts';

/** Milliseconds in which the gateway must answer. */
const DEADLINE_MS = 2_000;

/** Characters of an answer that are read, and characters of its body that are shown. */
const MAX_READ_CHARACTERS = 64 * 1_024;
const MAX_SHOWN_CHARACTERS = 1_000;

/**
 * Asks the gateway of this configuration whether it is ready. It runs every few seconds beside the gateway, so it loads
 * next to nothing.
 *
 * @param file the path of gateway.yaml
 * @returns what is wrong; `undefined` when it is ready
 * @throws {ConfigError} when the part of the file that names the listener is wrong
 */
export async function whyNotHealthy(file: string, env: Environment): Promise<string | undefined> {
  const { host, port } = (await readShortcut(file, env)) ?? (await loadAddress(file, env));
  try {
    const { status, text } = await ask(host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port);
    return status === 200 ? undefined : `the gateway is not ready: ${text.slice(0, MAX_SHOWN_CHARACTERS)}`;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return `the gateway does not answer on server.management.port ${port}: ${message === '' ? code : message}`;
  }
}

async function readShortcut(file: string, env: Environment): Promise<ManagementAddress | undefined> {
  try {
    const text = readFileSync(file, 'utf8');
    return findManagementAddress(text, env) ?? (await parseManagementAddress(text, env));
  } catch {
    // Loading the whole configuration reports why the file cannot be read.
    return undefined;
  }
}

async function loadAddress(file: string, env: Environment): Promise<ManagementAddress> {
  const { loadManagement } = await import('../config/load-config.ts');
  return loadManagement(file, env);
}

/**
 * Asks over a bare connection: `node:http` would cost more than everything else together, because from Node 26 on its
 * import loads another HTTP client as well. The answer to an HTTP/1.0 request comes without chunks, and ends with the
 * connection.
 */
function ask(host: string, port: number): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    let answer = '';
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no answer within ${DEADLINE_MS / 1_000} s`));
    }, DEADLINE_MS);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > MAX_READ_CHARACTERS) {
        socket.destroy();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      const status = /^HTTP\/1\.[01] (\d{3}) /.exec(answer)?.[1];
      if (status === undefined) {
        reject(new Error('what answers there is not a gateway'));
      } else {
        const head = answer.indexOf('\r\n\r\n');
        resolve({ status: Number(status), text: head === -1 ? '' : answer.slice(head + 4) });
      }
    });
    socket.write('GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n');
  });
}
