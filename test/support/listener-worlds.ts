import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListenerTls } from '../../src/http/listener-tls.ts';
import { startGatewayWorld, type GatewayWorld, type GatewayWorldOptions } from './gateway-world.ts';
import { selfSigned } from './token-certificate.ts';

/** A gateway whose listener is of one kind. */
export interface ListenerWorld {
  readonly listener: 'TCP' | 'TLS';
  readonly world: GatewayWorld;
}

/** Starts a gateway without TLS and one with it, for what has to hold for both. */
export async function startListenerWorlds(options: GatewayWorldOptions = {}): Promise<ListenerWorld[]> {
  const world = await startGatewayWorld(options);
  const certificate = selfSigned('localhost');
  const secure = await startGatewayWorld({ ...options, emulator: world.emulator, certificate });
  // The emulator is that of the first world, and so closes with it.
  return [
    { listener: 'TLS', world: secure },
    { listener: 'TCP', world },
  ];
}

/** TLS for a server that is no gateway. */
export interface OpenTls {
  readonly tls: ListenerTls;
  /** The authority of its certificate, which is one of localhost. */
  readonly ca: string;
}

/** Makes TLS for a server of a test. */
export async function openTls(): Promise<OpenTls> {
  const folder = await mkdtemp(join(tmpdir(), 'listener-'));
  const files = { cert: join(folder, 'server.pem'), key: join(folder, 'server.key') };
  const { cert, key } = selfSigned('localhost');
  await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
  const tls = new ListenerTls(files, Date.now);
  await tls.open();
  await rm(folder, { recursive: true });
  return { tls, ca: cert };
}
