import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { demoWorld, GATEWAY_CLIENT_ID, GRAPH_APP_ID, HOME_TENANT_ID, ORDERS_APP_ID } from '../../dev/emulator/world.ts';
import type { World } from '../../dev/emulator/world-model.ts';
import { buildProgram } from '../support/command-program.ts';
import { FRONTS, startFront, type Front } from '../support/front.ts';
import { scope } from '../support/gateway-contract.ts';
import { startEchoApi, type EchoApi } from './echo-api.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';
import { Replica } from './replica.ts';
import { startSentinels, type Sentinels } from './sentinels.ts';

/** A person with the access token that their client sends. */
export interface Caller {
  readonly oid: string;
  readonly token: string;
}

/** Everything that a deployment of three replicas has, each server a process of its own. */
export interface Topology {
  readonly emulator: Emulator;
  readonly people: EchoApi;
  readonly records: EchoApi;
  readonly redis: Sentinels;
  readonly replicas: readonly [Replica, Replica, Replica];
  readonly fronts: readonly Front[];
  readonly prometheus: Prometheus;
  /** Makes a person whom no replica has met. */
  newCaller(): Caller;
  /** Ends everything, the newest first. */
  close(): Promise<void>;
}

/** Starts a deployment; what had started is ended when something does not start. */
export async function startTopology(): Promise<Topology> {
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).toReversed()) {
      await end();
    }
  };
  try {
    return { ...(await start((end) => closers.push(end))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(onClose: (end: () => unknown) => void): Promise<Omit<Topology, 'close'>> {
  async function opened<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const part = await starting;
    onClose(() => part.close());
    return part;
  }

  const folder = await mkdtemp(join(tmpdir(), 'topology-'));
  onClose(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'openapi.yaml'), JSON.stringify(CONTRACT));
  const world = withConsents(demoWorld());
  const emulator = await opened(startEmulator({ world }));
  const people = await opened(startEchoApi(emulator, 'https://graph.microsoft.com'));
  const records = await opened(startEchoApi(emulator, ORDERS_APP_ID));
  const redis = await opened(startSentinels());
  const program = buildProgram();
  onClose(() => program.remove());
  const surroundings = {
    program,
    folder,
    authority: emulator.origin,
    people: people.origin,
    records: records.origin,
  };
  const replicas = [
    await Replica.create('replica1', surroundings),
    await Replica.create('replica2', surroundings),
    await Replica.create('replica3', surroundings),
  ] as const;
  await Promise.all(replicas.map((replica) => replica.start(redis.url)));
  const fronts = await Promise.all(FRONTS.map((name) => opened(startFront(name, replicas))));
  const prometheus = await opened(startPrometheus(replicas.map(({ managementPort }) => managementPort)));
  return {
    emulator,
    people,
    records,
    redis,
    replicas,
    fronts,
    prometheus,
    newCaller: () => addPerson(emulator),
  };
}

/** Everybody has consented to what the gateway does for them. */
function withConsents(world: World): World {
  const consent = { tenant: HOME_TENANT_ID, user: 'everyone', client: GATEWAY_CLIENT_ID };
  world.consents.push(
    { ...consent, resource: GRAPH_APP_ID, scopes: ['User.Read'] },
    { ...consent, resource: ORDERS_APP_ID, scopes: ['user_impersonation'] },
  );
  return world;
}

function addPerson(emulator: Emulator): Caller {
  const { world } = emulator;
  const [someone] = world.users;
  if (someone === undefined) {
    throw new Error('the demo world is empty');
  }
  const number = world.users.length;
  const alias = `person-${number}`;
  const oid = `1a2b3c4d-7777-4a00-8a00-${String(number).padStart(12, '0')}`;
  world.users.push({ ...someone, alias, oid, userPrincipalName: `${alias}@contoso.com` });
  return { oid, token: emulator.issueAccessToken({ user: alias }) };
}

function describeService(service: string): object {
  const operation = {
    security: [{ user: [scope('Orders.Read')] }],
    'x-downstream': { service },
    responses: { default: { description: 'What the API says of the call.' } },
  };
  return { get: operation, post: operation, put: operation };
}

const CONTRACT = {
  openapi: '3.1.0',
  info: { title: 'Three replicas', version: '1.0.0' },
  paths: { '/people': describeService('people'), '/records': describeService('records') },
  components: {
    securitySchemes: {
      user: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
            tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
            scopes: { [scope('Orders.Read')]: 'Read' },
          },
        },
      },
    },
  },
};
