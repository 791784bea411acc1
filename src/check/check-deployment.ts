import type { GatewayConfig } from '../config/load-config.ts';
import { Authority } from '../entra/authority.ts';
import { EntraHttpClient } from '../entra/http-client.ts';
import { adviseAgents, checkAgents } from './check-agents.ts';
import { adviseConfiguration } from './advise-configuration.ts';
import { adviseContract } from './advise-contract.ts';
import { adviseMcpServers } from './advise-mcp-servers.ts';
import { adviseAuthorizationService, probeAuthorizationService } from './check-authorization-service.ts';
import { checkCertificate } from './check-certificate.ts';
import { checkClock } from './check-clock.ts';
import { checkCredential } from './check-credential.ts';
import { checkMemory } from './check-memory.ts';
import { adviseDownstream, checkDownstream } from './check-downstream.ts';
import { checkEntra } from './check-entra.ts';
import { checkListenerTls } from './check-listener-tls.ts';
import { CHECKS, type CheckName, type CheckRequest } from './check-options.ts';
import { advisePorts, AUTHORIZATION_PORT, checkPorts } from './check-ports.ts';
import { adviseRedis, checkRedis } from './check-redis.ts';
import { reportBackupReadiness } from './report-backup-readiness.ts';
import type { Row } from './row.ts';

/** Milliseconds for each call over the network. */
const DEADLINE_MS = 5_000;

/** What to check, and what a test puts in the place of the real thing. */
export interface CheckOptions extends Partial<Pick<CheckRequest, 'only' | 'offline'>> {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds for each call over the network. */
  readonly deadlineMs?: number;
}

/** What the checks found, in the order of the report. */
export type Findings = ReadonlyMap<CheckName, readonly Row[]>;

/** Looks at what a gateway of this configuration depends on, side by side; by default at everything. */
export async function checkDeployment(config: GatewayConfig, options: CheckOptions = {}): Promise<Findings> {
  const { now = Date.now, deadlineMs = DEADLINE_MS, only = new Set(CHECKS), offline = false } = options;
  const http = new EntraHttpClient(deadlineMs);
  const readings = readFiles(config, now);
  const trials = tryOut(config, http, now, deadlineMs);
  const run = async (name: CheckName): Promise<readonly [CheckName, readonly Row[]]> => {
    const [found, read] = await Promise.all([offline ? [] : (trials[name]?.() ?? []), readings[name]?.() ?? []]);
    return [name, [...found, ...read]];
  };
  try {
    return new Map(await Promise.all(CHECKS.filter((name) => only.has(name)).map(run)));
  } finally {
    http.close();
  }
}

type Checks = Readonly<Partial<Record<CheckName, () => readonly Row[] | Promise<readonly Row[]>>>>;

/** The parts of the checks that only look at the files. */
function readFiles(config: GatewayConfig, now: () => number): Checks {
  const { server, identity, downstreams, tokenCache, authorizationService } = config;
  return {
    config: () => [
      ...adviseConfiguration(config),
      ...adviseAuthorizationService(authorizationService),
      ...checkMemory(config.memory),
      ...adviseContract(config),
      ...adviseMcpServers(config),
    ],
    ports: async () => [
      ...advisePorts(server),
      ...(await checkListenerTls('server.tls', server, now())),
      ...(await checkListenerTls('authorizationService.tls', authorizationService ?? {}, now())),
    ],
    credential: () => checkCertificate(identity.credential, now()),
    downstreams: () => [
      ...Object.entries(downstreams).flatMap(([name, settings]) => adviseDownstream(name, settings)),
      ...adviseAgents(downstreams),
    ],
    redis: () => adviseRedis(tokenCache.redis),
    backup: () => reportBackupReadiness(config),
  };
}

/** The parts of the checks that try something out on this machine and over the network. */
function tryOut(config: GatewayConfig, http: EntraHttpClient, now: () => number, deadlineMs: number): Checks {
  const { identity, downstreams, tokenCache } = config;
  const authority = new Authority(identity.authority, identity.tenant);
  return {
    ports: () => tryPorts(config, deadlineMs),
    entra: () => checkEntra({ authority, http }),
    clock: async () => [await checkClock({ authority, http, now, tolerance: identity.clockTolerance })],
    credential: async () => [
      ...(await checkCredential({ authority, identity, http, now })),
      ...(await checkAgents(downstreams, { authority, identity, http, now })),
    ],
    downstreams: () =>
      Promise.all(Object.entries(downstreams).map(([name, settings]) => checkDownstream(name, settings, deadlineMs))),
    redis: () => checkRedis(tokenCache.redis, deadlineMs, { authority, identity, http, now }),
  };
}

/** Whether the ports are free; and where that for engines is not, whether the authorization service is what runs there. */
async function tryPorts(config: GatewayConfig, deadlineMs: number): Promise<readonly Row[]> {
  const rows = await checkPorts(config);
  const isTaken = rows.some(({ check, status }) => check === AUTHORIZATION_PORT && status === 'warn');
  return isTaken ? [...rows, ...(await probeAuthorizationService(config, deadlineMs))] : rows;
}
