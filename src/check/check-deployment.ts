import type { GatewayConfig } from '../config/load-config.ts';
import { Authority } from '../entra/authority.ts';
import { EntraHttpClient } from '../entra/http-client.ts';
import { adviseConfiguration } from './advise-configuration.ts';
import { adviseContract } from './advise-contract.ts';
import { checkCertificate } from './check-certificate.ts';
import { checkClock } from './check-clock.ts';
import { checkCredential } from './check-credential.ts';
import { checkDownstream } from './check-downstream.ts';
import { checkEntra } from './check-entra.ts';
import { checkPorts } from './check-ports.ts';
import { checkRedis } from './check-redis.ts';
import { reportBackupReadiness } from './report-backup-readiness.ts';
import type { Row } from './row.ts';

/** Milliseconds for each call over the network. */
const DEADLINE_MS = 5_000;

/** What a test puts in the place of the real thing. */
export interface CheckOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds for each call over the network. */
  readonly deadlineMs?: number;
}

/** Looks at everything that a gateway of this configuration depends on, side by side. */
export async function checkDeployment(config: GatewayConfig, options: CheckOptions = {}): Promise<Row[]> {
  const { now = Date.now, deadlineMs = DEADLINE_MS } = options;
  const { server, identity, downstreams, tokenCache } = config;
  const authority = new Authority(identity.authority, identity.tenant);
  const http = new EntraHttpClient(deadlineMs);
  try {
    const rows = await Promise.all([
      checkPorts(server),
      checkEntra({ authority, http }),
      checkClock({ authority, http, now, tolerance: identity.clockTolerance }),
      checkCredential({ authority, identity, http, now }),
      checkCertificate(identity.credential, now()),
      ...Object.entries(downstreams).map(([name, settings]) => checkDownstream(name, settings, deadlineMs)),
      checkRedis(tokenCache.redis, deadlineMs),
    ]);
    return [
      ...rows.flat(),
      ...adviseConfiguration(config),
      ...adviseContract(config),
      ...reportBackupReadiness(config),
    ];
  } finally {
    http.close();
  }
}
