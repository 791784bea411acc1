import type { GatewayConfig } from '../config/load-config.ts';
import { kindOf } from './check-credential.ts';
import { pass, warn, type Row } from './row.ts';

/** The host names that Microsoft lists, by cloud. */
const SUPPORTED_HOSTS: ReadonlyMap<string, string> = new Map([
  ['login.microsoftonline.com', 'Azure Commercial'],
  ['login.microsoftonline.us', 'Azure Government'],
]);

/**
 * Reports how ready the deployment is for Entra's backup authentication system, and what that system does not cover.
 *
 * @see https://learn.microsoft.com/entra/architecture/backup-authentication-system-apps
 */
export function reportBackupReadiness({ identity, downstreams }: GatewayConfig): Row[] {
  return [
    reportHost(new URL(identity.authority).hostname),
    ...Object.entries(downstreams).map(([name, { scopes }]) =>
      pass(title(`scopes of ${name}`), `fixed by gateway.yaml (${scopes.length})`),
    ),
    pass(title('passwords'), 'the gateway never uses the password grant (ROPC)'),
    pass(title('UserInfo'), 'the gateway never asks the UserInfo endpoint'),
    reportCredential(identity.credential),
    REPORT_COVERAGE,
  ];
}

function title(subject: string): string {
  return `backup authentication: ${subject}`;
}

function reportHost(host: string): Row {
  const cloud = SUPPORTED_HOSTS.get(host);
  if (cloud !== undefined) {
    return pass(title('host'), `${host} is supported (${cloud})`);
  }
  return warn(title('host'), `${host} is not among the supported hosts`, {
    reason: `Microsoft lists ${[...SUPPORTED_HOSTS.keys()].join(' and ')} only`,
    remedy: 'use the listed name if this is another name of that cloud; otherwise nothing can be done',
    key: 'identity.authority',
  });
}

function reportCredential(settings: GatewayConfig['identity']['credential']): Row {
  const kind = kindOf(settings);
  if (kind === 'managedIdentity') {
    return pass(title('credential'), 'managed identity: its own token is covered');
  }
  return warn(title('credential'), `${kind}, not a managed identity`, {
    reason: 'of what proves an application, only managed identities are covered',
    remedy: 'on Azure, use a user-assigned managed identity as a federated credential',
    key: 'identity.credential.managedIdentity',
  });
}

const REPORT_COVERAGE = warn(title('coverage'), 'on-behalf-of, client credentials and code flows are NOT covered', {
  reason:
    'while Entra is down there is no new exchange and no new sign-in; the caches bridge it only for sessions that ' +
    'hold a downstream token, until that token expires, and at most until the assertion of the caller does',
  remedy: 'nothing to set; let clients keep their tokens and try again as Retry-After says, and plan for the outage',
});
